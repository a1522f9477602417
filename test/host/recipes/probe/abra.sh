# shellcheck shell=sh
export PAGE_VERSION=v1
