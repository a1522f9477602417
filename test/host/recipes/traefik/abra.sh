# shellcheck shell=sh
export TRAEFIK_YML_VERSION=v29
export FILE_PROVIDER_YML_VERSION=v10
