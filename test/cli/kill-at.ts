import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

/**
 * Loaded into the command before its own code: ends the process with SIGKILL around the call number
 * KILL_AT of those that change the disk. KILL_WHERE says whether `before` it, or `within` it, which
 * for a write means that half of the text is there. Without KILL_AT it prints how many calls there
 * are, at the end and to standard error.
 */

const limit = Number(process.env.KILL_AT ?? "0");
const within = process.env.KILL_WHERE === "within";
let count = 0;

function kill(): never {
  process.kill(process.pid, "SIGKILL");
  // The signal is there when the call returns; this line is for the type alone.
  throw new Error("unreachable");
}

function counted<Arguments extends unknown[], Result>(
  call: (...given: Arguments) => Result,
  half?: (...given: Arguments) => void,
): (...given: Arguments) => Result {
  return (...given) => {
    count += 1;
    if (count === limit && !within) kill();
    if (count === limit && half !== undefined) {
      half(...given);
      kill();
    }
    return call(...given);
  };
}

const { writeFileSync } = fs;
fs.writeFileSync = counted(writeFileSync, (file, data, options) => {
  const text = String(data);
  writeFileSync(file, text.slice(0, text.length / 2), options);
});
fs.renameSync = counted(fs.renameSync);
const { rmSync } = fs;
const countedRmSync = counted(rmSync);
// One that is there to make sure that nothing is there changes nothing.
fs.rmSync = (path, options) => (fs.existsSync(path) ? countedRmSync : rmSync)(path, options);
fs.rmdirSync = counted(fs.rmdirSync);
syncBuiltinESMExports();

process.on("exit", () => {
  if (limit === 0) writeFileSync(2, `calls: ${count}\n`);
});
