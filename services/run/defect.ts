import { defineLines } from "../lib/line.ts";

export const defectLines = defineLines({
  "run-defect": {
    as: "failed",
    says: "unexpected: {problem}: see whether the disk is full or unwell; if not, this is a defect, please report it with the lines below",
  },
});
