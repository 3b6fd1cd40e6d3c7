/** How much is measured; the report says it. */
export const sizes = {
  detection: 20,
  silent: 5,
  kills: 5,
  atRest: 50,
  large: 200,
  /** Perl ldirectord starts processes for each real server and reads the table each time: 200 are not done in minutes. */
  perl: 10,
  starts: 3,
  reloads: 5,
} as const
