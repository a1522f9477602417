import type { Gate } from "../../../../services/bridge/pipeline/gate.ts";

/** The end of a life of the bridge: as by SIGKILL, nothing that it had begun goes on. */
export class Crash extends Error {}

/** When a life is to end. */
export interface Death {
  /** What is counted: what it does to the world, or all that it asks of anybody. */
  readonly of: "act" | "call";
  /** How many more there are, from 1 on. */
  readonly nth: number;
  readonly when: "before" | "after";
}

/** One life of the bridge, from a start to a crash. */
export class Life {
  #isOver = false;
  #left = Number.POSITIVE_INFINITY;
  #death: Death | undefined;

  readonly gate: Pick<Gate, keyof Gate> = {
    pass: async (_act, _target, perform) => {
      this.step("act", "before");
      const result = await perform();
      this.step("act", "after");
      return result;
    },
  };

  get isOver(): boolean {
    return this.#isOver;
  }

  end(death: Death): void {
    this.#death = death;
    this.#left = death.nth;
  }

  /** @throws {Crash} where it is over */
  goOn(): void {
    if (this.#isOver) throw new Crash();
  }

  /** @throws {Crash} where it is over, or ends here */
  step(of: Death["of"], when: Death["when"]): void {
    if (this.#death?.of === of) {
      if (when === "before") this.#left -= 1;
      this.#isOver ||= this.#left <= 0 && this.#death.when === when;
    }
    this.goOn();
  }

  /**
   * A call to another program: it is on its way, it is done, its answer is on its way.
   *
   * @param perform does it, all at once
   */
  async call<Result>(pause: Way["pause"], perform: () => Result): Promise<Result> {
    this.step("call", "before");
    await pause();
    this.goOn();
    const result = perform();
    await pause();
    this.step("call", "after");
    return result;
  }
}

/** How a life of the bridge reaches others. */
export interface Way {
  readonly life: Life;
  /** What a call, and its answer, waits for on its way, so that other things come first. */
  readonly pause: () => Promise<void>;
}
