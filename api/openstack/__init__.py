"""The OpenStack dialect: what openstackclient, SDKs and tools speak."""
