import { expect, test } from "vitest";
import { contract } from "../host/abra/contract.ts";
import { otherwise } from "../host/abra/otherwise.ts";
import { defaultSettings, type Settings } from "../host/abra/settings.ts";

const hosts: readonly Partial<Settings>[] = Object.values(otherwise);

/** Whether a host of cases/abra-otherwise.test.ts has an abra that answers otherwise. */
function isTurned(setting: keyof Settings): boolean {
  return hosts.some((each) => setting in each && each[setting] !== defaultSettings[setting]);
}

const guesses = contract.filter(({ mark, setting }) => mark === "guessed" || setting !== undefined);

test.each(guesses)(
  "that abra may do otherwise than '$id' is shown on a host, or what comes of it is said",
  ({ setting, otherwise: said }) => {
    const isShown = setting !== undefined && isTurned(setting);
    expect({ isShown, isSaid: said !== undefined }).toEqual({ isShown, isSaid: !isShown });
  },
);
