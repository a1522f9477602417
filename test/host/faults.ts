import { rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import type { Machine } from "./machine/machine.ts";
import { showUnits } from "./system/switch.ts";

const variable = "CC_CI_STOP_AT";

/** Before each question to the host's systemd, which starts several programs. */
const looksFromOutside = 8;

/** Ways to break a host in the middle of something. */
export class Faults {
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /**
   * From now on the program of this one unit stops by itself before or after its n-th mutating call, counted
   * from 1, as if frozen there. `waitUntilStopped` says when it is.
   */
  async stopAt(unit: string, call: number, when: "before" | "after"): Promise<void> {
    const piece = unit.replace(/^cc-ci-|\.service$/g, "");
    // Of systemd itself, which has all of its units' and not to be reloaded.
    await this.#machine.exec([
      "systemctl",
      "set-environment",
      `${variable}=${piece}:${call}:${when}`,
    ]);
  }

  /** Lets units run through again. */
  async stopNowhere(): Promise<void> {
    await this.#machine.exec(["systemctl", "unset-environment", variable]);
  }

  /**
   * Waits for a unit to freeze or to end.
   *
   * @returns whether it froze; false when it ended before it came to that call
   */
  async waitUntilStopped(unit: string, limitSeconds = 120): Promise<boolean> {
    const end = performance.now() + limitSeconds * 1000;
    for (let look = 1; ; look += 1) {
      if (this.#machine.isFrozen(unit)) return true;
      if (look % looksFromOutside === 0) {
        const properties = ["ActiveState", "Job"];
        const [{ ActiveState, Job = "" } = {}] = await showUnits(this.#machine, [unit], properties);
        if (Job === "" && (ActiveState === "inactive" || ActiveState === "failed")) return false;
        if (performance.now() > end) {
          const log = ["journalctl", "--output=cat", "--no-pager", "--lines=20", `--unit=${unit}`];
          const { stdout } = await this.#machine.exec(log);
          throw new Error(`${unit} is still ${ActiveState} after ${limitSeconds} s:\n${stdout}`);
        }
      }
      await sleep(25);
    }
  }

  /** Ends every process of a unit at once. */
  async killUnit(unit: string): Promise<void> {
    await this.#machine.exec([
      ...["systemctl", "kill", "--signal=SIGKILL", "--kill-whom=all", unit],
    ]);
  }

  /**
   * Makes a folder a file system of its own that has no room left, with what was in the folder. It
   * has the old content again after `relieve`, and after a reboot.
   *
   * @returns gives its room back
   */
  async fullDisk(folder: string): Promise<() => Promise<void>> {
    const image = join(this.#machine.folder, `disk-${folder.replaceAll("/", "-")}`);
    writeFileSync(image, "");
    truncateSync(image, 64 * 1024 * 1024);
    await execa("mkfs.ext4", ["-q", "-m", "0", image]);
    // The device goes when nothing uses it any more: unmounted, or the machine ended.
    const { stdout: device } = await execa("losetup", ["--find", "--show", image]);
    try {
      const minor = device.replace(/\D/g, "");
      // In /dev, because no other folder may have devices in it.
      await this.#shell(
        `set -e; d=$(mktemp -d -p /dev); mknod "$d/disk" b 7 ${minor}; mkdir "$d/mnt"
mount "$d/disk" "$d/mnt"; cp -a ${folder}/. "$d/mnt"; umount "$d/mnt"
mount "$d/disk" ${folder}; rm -r "$d"
if dd if=/dev/zero of=${folder}/.full bs=64k 2>/dev/null; then exit 1; fi
if dd if=/dev/zero of=${folder}/.full-too bs=1 2>/dev/null; then exit 1; fi`,
      );
    } finally {
      await execa("losetup", ["--detach", device]);
      // Its blocks stay for as long as the device is there.
      rmSync(image);
    }
    return async () => {
      await this.#shell(`rm -f ${folder}/.full ${folder}/.full-too`);
    };
  }

  async #shell(script: string, input?: string): Promise<void> {
    await this.#machine.exec(["sh", "-c", script], input === undefined ? {} : { input });
  }
}
