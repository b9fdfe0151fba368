#!/bin/sh
# Calibrate over HTTP as the first script's clients did. Start the server before:
#   export SHSIM_JWT_SECRET="$(openssl rand -base64 48)"; shsim serve
# usage: TOKEN="$(shsim token --role admin)" sh admin_api.sh
set -eu
: "${TOKEN:?is not set. usage: TOKEN=\"\$(shsim token --role admin)\" sh admin_api.sh}"

curl --silent --show-error --fail-with-body \
  -X POST "${SHSIM_URL:-http://127.0.0.1:8000}/v1/admin/exposure/calibrate_sh" \
  -H "Authorization: Bearer $TOKEN" \
  -H 'content-type: application/json' \
  -d '{"exam_code":"DEMO-EXAM","tau":0.2,"n":400,"test_len":25,"iters":5,"alpha":0.6,"theta_dist":"normal0,1","floor":0.02,"ceil":1.0,"dry_run":false}'
