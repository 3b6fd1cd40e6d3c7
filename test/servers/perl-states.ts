import type { Case, Difference } from './beside-perl.ts'

export const silent = (why: string): Difference => ({ perl: 'no verdict', why })
export const foundUp = (why: string): Difference => ({ perl: 'up', why })
export const foundDown = (why: string): Difference => ({ perl: 'down', why })

export interface Service {
  readonly service: string
  readonly port: number
  /** Of every case; the others stand after them, and the last one counts. */
  readonly lines?: readonly string[]
  readonly certificate?: string
  /** Directives that make these of a healthy server; left out where the service knows no such thing. */
  readonly credentials?: string
  readonly content?: string
  /** By state. */
  readonly differs?: Readonly<Record<string, Difference>>
  readonly frozenIsUp?: boolean
}

/** The states that every service is compared in. */
export function casesOf({ port, certificate, lines = [], differs = {}, ...about }: Service): Case[] {
  const wanted = about.service === 'connect' ? 'checktype = connect' : `service = ${about.service}`
  const make = (state: string, given: Pick<Case, 'phase' | 'ours'>, ...more: readonly string[]): Case => ({
    ...{ service: about.service, state, port, lines: [wanted, ...lines, ...more], ...given },
    ...(certificate === undefined ? {} : { certificate }),
    ...(differs[state] === undefined ? {} : { differs: differs[state] }),
  })
  const down = { phase: 'serving', ours: 'down' } as const
  return [
    make('up', { phase: 'serving', ours: 'up' }),
    ...(about.credentials === undefined ? [] : [make('wrong credentials', down, about.credentials)]),
    ...(about.content === undefined ? [] : [make('wrong content', down, about.content)]),
    make('stopped', { phase: 'stopped', ours: about.frozenIsUp === true ? 'up' : 'down' }),
    make('killed', { phase: 'killed', ours: 'down' }),
  ]
}

/** A case beside those, made of one of them. */
export const alter = (from: Case | undefined, change: Partial<Case>): Case[] =>
  from === undefined ? [] : [{ ...from, ...change }]

/** The case of a server whose certificate Perl's libraries were not told to trust. */
export function untrusted(from: Case | undefined): Case[] {
  if (from === undefined) return []
  const { certificate: _, ...rest } = from
  const differs = foundDown('D31: here the certificate decides with `tlsverify = yes` only')
  return [{ ...rest, state: `${from.state}, its certificate untrusted`, differs }]
}
