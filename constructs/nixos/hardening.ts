import type { NixAttributes } from "../core/nix.ts";

/** What no program of ours needs, root or not: it guards against accidents. */
const common: NixAttributes = {
  LockPersonality: true,
  NoNewPrivileges: true,
  PrivateTmp: true,
  ProtectClock: true,
  ProtectControlGroups: true,
  ProtectHostname: true,
  ProtectKernelLogs: true,
  ProtectKernelModules: true,
  ProtectKernelTunables: true,
  ProtectSystem: "strict",
  RestrictNamespaces: true,
  RestrictRealtime: true,
  RestrictSUIDSGID: true,
  SystemCallArchitectures: "native",
};

/**
 * What a root program that talks to the Docker socket, the network and its own folders can do
 * without. It guards against accidents: the socket alone equals root. Files of other owners must
 * stay readable, hence the two capabilities.
 */
export const hardening: NixAttributes = {
  ...common,
  CapabilityBoundingSet: "CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH",
  ProtectHome: "read-only",
  RestrictAddressFamilies: "AF_UNIX AF_INET AF_INET6",
};

/**
 * What a program can do without that works on files of its own account, root's or another, and talks to others over
 * the network.
 */
export const confined: NixAttributes = {
  ...common,
  // It owns what it works on: no right of root's beyond an owner's is needed.
  CapabilityBoundingSet: "",
  PrivateDevices: true,
  ProtectHome: true,
  ProtectProc: "invisible",
  RestrictAddressFamilies: hardening.RestrictAddressFamilies,
  SystemCallFilter: ["@system-service"],
};

/**
 * The same for one that talks to nobody but over sockets of this host. The docker client does, over the network too
 * where it has one.
 */
export const secluded: NixAttributes = {
  ...confined,
  PrivateNetwork: true,
  RestrictAddressFamilies: "AF_UNIX",
};
