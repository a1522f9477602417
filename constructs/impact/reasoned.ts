/** Something with the reasons for it. */
export interface Reasoned {
  readonly name: string;
  readonly reasons: readonly string[];
}
