# shellcheck shell=sh
export DRONE_ENV_VERSION=v1
