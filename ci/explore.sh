#!/usr/bin/env bash
# `threadbare ci` with all its reports in one directory, as action.yml and ci/gitlab.yml run it. ARGUMENTS are further ones,
# split at spaces; REPORTS is the directory.
set -euo pipefail
reports=${REPORTS:-threadbare-reports}
mkdir -p "$reports"
read -r -a arguments <<<"${ARGUMENTS:-}"
exec threadbare ci --findings "$reports/findings" --junit "$reports/junit.xml" --sarif "$reports/threadbare.sarif" \
  --json "$reports/ci.json" ${arguments[@]+"${arguments[@]}"}
