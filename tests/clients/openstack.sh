#!/bin/bash
# openstackclient, in an environment of its own, with a clouds.yaml:
#   CLOUDS=var/clouds.yaml CLOUD=demo ./openstack.sh server list
: "${CLOUDS:?a clouds.yaml}" "${CLOUD:=demo}"
. "$(dirname "$0")/lib/common.sh"
venv osc python3 python-openstackclient openstacksdk python-swiftclient python-glanceclient python-neutronclient python-cinderclient python-novaclient
export OS_CLIENT_CONFIG_FILE=$CLOUDS OS_CLOUD=$CLOUD
"$CLIENTS_LAB/osc/bin/openstack" "$@"
