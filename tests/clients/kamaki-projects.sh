#!/bin/bash
# The life of a project with kamaki 0.16: applying, deciding, joining, leaving, ending.
# Inputs: as kamaki.sh, and ADMIN_USER, ADMIN_PASSWORD, OTHER_USER, OTHER_PASSWORD (two more accounts).
. "$(dirname "$0")/lib/common.sh"
: "${PY27:=$(ls -d "${PYENV_ROOT:-$HOME/.pyenv}"/versions/2.7*/bin/python 2>/dev/null | tail -1 | grep . || command -v python2.7)}"
LABV=$CLIENTS_LAB
if [ ! -x $LABV/py27/bin/kamaki ]; then
  [ -x "$PY27" ] || { echo "no Python 2.7 at $PY27: kamaki 0.16 is Python 2 only" >&2; exit 2; }
  venv venvtool python3 'virtualenv==20.21.1'
  $LABV/venvtool/bin/virtualenv -q -p "$PY27" $LABV/py27 && $LABV/py27/bin/pip install -q kamaki==0.16 >$LABV/py27.pip.log 2>&1 || { tail -3 $LABV/py27.pip.log >&2; exit 2; }
fi
JQ() { python3 -c "import json,sys; d=json.load(sys.stdin); print($1)" 2>/dev/null; }
rc() {   # rc NAME USER PASSWORD: a kamaki configuration for one person
  local token
  token=$(curl -s -X POST -H 'Content-Type: application/json' "$AUTH_V2/tokens" \
    -d "{\"auth\":{\"passwordCredentials\":{\"username\":\"$2\",\"password\":\"$3\"}}}" | JQ 'd["access"]["token"]["id"]')
  [ -n "$token" ] || { echo "kamaki 0/1 commands ok (no token for $2)"; exit 1; }
  printf '[global]\ndefault_cloud = t\nignore_ssl = on\ncolors = off\nlog_file = %s\n[cloud "t"]\nurl = %s\ntoken = %s\n' \
    "$WORK/kamaki.log" "$AUTH_V2" "$token" > "$WORK/$1"
}
rc me "$CLOUD_USER" "$CLOUD_PASSWORD"; rc admin "$ADMIN_USER" "$ADMIN_PASSWORD"; rc other "$OTHER_USER" "$OTHER_PASSWORD"
kam() { local who=$1; shift; $LABV/py27/bin/kamaki -c "$WORK/$who" "$@" 2>"$WORK/kerr"; local rc=$?; cat "$WORK/kerr" >&2
        grep -q -i -E '^\([0-9]{3}\)|error|invalid|not found|Traceback|Syntax' "$WORK/kerr" && [ $rc = 0 ] && rc=9; return $rc; }
export -f kam; export LABV WORK
k() { local n=$1; shift; step "$n" bash -c 'kam "$@"' kam "$@"; }
j() { local n=$1; shift; step "$n" bash -c 'kam "$@" --output-format json' kam "$@"; }
new() {  # new NAME MORE...: an application; leaves P and A
  local n=$1; shift
  j "project create $n" me project create --name "$n.kam$$.example.org" --end-date 31/12/2099 "$@" \
    && P=$(JQ 'd["id"]' <<<"$OUT") && A=$(JQ 'd["application"]' <<<"$OUT")
}

new one --description "by kamaki" --max-members 5 --join-policy moderated --resource cyclades.vm=1,5
j "project info" me project info "${P:-x}"
check "it waits" [ "$(JQ 'd["last_application"]["state"]' <<<"$OUT")" = pending ]
k "project approve" admin project approve "${P:-x}" --app-id "${A:-0}" --reason fine
j "project list" me project list --with-state active
check "it is listed" grep -q "${P:-x}" <<<"$OUT"
k "project join" other project join "${P:-x}" && M=$(tr -dc 0-9 <<<"$OUT")
j "membership list" me membership list --project-id "${P:-x}"
k "membership accept" me membership accept "${M:-0}" --reason welcome
j "membership info" other membership info "${M:-0}"
check "it is accepted" [ "$(JQ 'd["state"]' <<<"$OUT")" = accepted ]
k "quota list" other quota list --project-id "${P:-x}"
k "membership leave" other membership leave "${M:-0}"
k "project enroll" me project enroll "${P:-x}" --email "$OTHER_USER"
k "membership remove" me membership remove "${M:-0}"
k "project join again" other project join "${P:-x}"
k "membership reject" me membership reject "${M:-0}"
k "project join once more" other project join "${P:-x}"
k "membership cancel" other membership cancel "${M:-0}"
j "project modify" me project modify "${P:-x}" --description changed --resource cyclades.vm=2,6 && A=$(JQ 'd["application"]' <<<"$OUT")
k "project deny" admin project deny "${P:-x}" --app-id "${A:-0}" --reason no
k "project dismiss" me project dismiss "${P:-x}" --app-id "${A:-0}"
k "project suspend" admin project suspend "${P:-x}" --reason late
k "project unsuspend" admin project unsuspend "${P:-x}"
k "project terminate" admin project terminate "${P:-x}"
k "project reinstate" admin project reinstate "${P:-x}"
k "project terminate again" admin project terminate "${P:-x}"
new two
k "project cancel" me project cancel "${P:-x}" --app-id "${A:-0}"
finish kamaki
