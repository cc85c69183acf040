#!/bin/sh
# The whole of it without azd: needs az (logged in), and func (Azure Functions Core Tools) to publish.
#
#   infra/deploy.sh ENVIRONMENT LOCATION [parameter=value …]     parameters of infra/main.bicep, over its file
#   infra/deploy.sh --down ENVIRONMENT                           takes everything away again
set -eu
here=$(dirname "$0")
if [ "${1:-}" = --down ]; then
    shift
    exec sh "$here/hooks/run.sh" down "$@"
fi
exec sh "$here/hooks/run.sh" deploy "$@"
