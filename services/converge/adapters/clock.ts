/** Time, so that tests of waits need none. */
export interface Clock {
  now(): Date;
  /** Seconds from some point on, never going back. */
  monotonic(): number;
  sleep(seconds: number): Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonic: () => performance.now() / 1000,
  sleep: (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000)),
};
