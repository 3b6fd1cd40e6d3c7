/** What `npm run bench -- …` asks for. */
export type Wish = { readonly what: 'all' } | ChecksWish

export interface ChecksWish {
  readonly what: 'checks'
  readonly rounds: number
  /** Names of services; undefined for every one. */
  readonly only: readonly string[] | undefined
}

export const usage = 'usage: npm run bench [-- checks [--rounds N] [--only SERVICE,…]]'

export const defaultRounds = 5

/** @throws Error that tells the usage */
export function readArguments(words: readonly string[]): Wish {
  const [what, ...rest] = words
  if (what === undefined) return { what: 'all' }
  if (what !== 'checks') throw new Error(`${what} is no benchmark; ${usage}`)
  let wish: ChecksWish = { what, rounds: defaultRounds, only: undefined }
  for (let at = 0; at < rest.length; at += 2) wish = { ...wish, ...readOption(rest[at] ?? '', rest[at + 1] ?? '') }
  return wish
}

function readOption(name: string, value: string): Partial<ChecksWish> {
  if (name === '--rounds' && /^[1-9]\d?$/.test(value)) return { rounds: Number(value) }
  const only = value.split(',').filter((service) => service !== '')
  if (name === '--only' && only.length > 0) return { only }
  throw new Error(`${name} ${value} is not understood; ${usage}`)
}
