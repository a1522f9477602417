/** Everything that the bridge ever does to the world. */
export type Act =
  /** Has Drone begin a build. */
  | "build start"
  /** Has Drone end one. */
  | "build cancel"
  /** Writes a comment on a pull request. */
  | "comment post"
  /** Writes our comment on a pull request anew. */
  | "comment edit"
  /** Puts a reaction on a comment. */
  | "reaction give"
  /** Takes back one of ours. */
  | "reaction take";
