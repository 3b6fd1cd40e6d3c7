import { Failure } from '../failure.ts'

/** The message is no DNS message: cut off, or a name in it that has no end. */
export const malformed = (what: string): Failure => new Failure('protocol', `the reply cannot be read: ${what}`)
