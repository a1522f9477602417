# Generated from cc-ci. Do not edit: change the source, then run 'npm run synth'.
# Content sha256:f5278f2d3d30e7c97ecaff9f21673ed9b4fcb039ec825d26d6d051bb49dfbc74
{ lib, ... }:
{
  networking.hostName = lib.mkDefault "cc-ci";
  cc-ci.piecesFile = ./pieces.json;
}
