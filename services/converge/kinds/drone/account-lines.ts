import { defineLines } from "../../engine/line.ts";

export const droneAccountLines = defineLines({
  "drone-login-owed": {
    as: "pending",
    says: "Drone has no login of {login} on the forge, or a dead one: open {server}/login once in a browser, as {login} of {forge}; the next run goes on",
  },
  "drone-account-unseen": {
    as: "pending",
    says: "{login} cannot see {repository} on {forge}: give that account {right} there; the next run goes on",
  },
  "drone-account-without-right": {
    as: "pending",
    says: "{login} may not do enough with {repository} on {forge}: give that account {right} there, and nothing else; the next run goes on",
  },
  "drone-account-has-more": {
    as: "warning",
    says: "{login} has more on {forge} than {repository}, and Drone keeps a login of it that may do all that it may: take it out of {others}",
  },
  "drone-token-on-its-way": {
    as: "pending",
    says: "Drone was not started yet with the token of {login} that lies in {path}: 'systemctl start cc-ci-drone' deploys it; the next run goes on",
  },
  "drone-owner-not-admin": {
    as: "failed",
    says: "{login} is no administrator of Drone any more, and only a start of it makes it one again: run 'docker service update --force {stack}_app'",
  },
  "drone-login-silent": {
    as: "pending",
    says: "{login} was not logged in to Drone, for something on the way does not answer ({words}): the next run tries again",
  },
  "drone-password-refused": {
    as: "failed",
    says: "the forge {forge} does not take {login} with the password in {path}: put the right one there, or take it out of cc-ci.yaml and log in with a browser",
  },
  "drone-login-by-person": {
    as: "pending",
    says: "the forge wants more of {login} than a password ({words}): open {server}/login once in a browser, as {login} of {forge}; the next run goes on",
  },
  "drone-login-refused": {
    as: "failed",
    says: "Drone does not let {login} in ({words}): see that client id and secret in cc-ci.yaml are those of the OAuth client on {forge}, and that its redirect URI is {server}/login",
  },
  "drone-account-otherwise": {
    as: "failed",
    says: "{login} is not in Drone what it was made ({what}): see who changes it there; the next run makes it so again",
  },
});
