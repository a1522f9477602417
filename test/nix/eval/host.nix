# The modules that nix/host.nix puts together for a name, as absolute paths; none of them is read.
{ host, name }: map toString (import (/. + host) name).imports
