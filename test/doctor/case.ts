import { type Facts, unknownFact } from '../../src/doctor/facts.ts'
import { goodFacts, noFirewall } from './stage.ts'

/** A configuration, what is otherwise than on a good director, and all that is said then, in order. */
export interface Case {
  readonly name: string
  readonly config: string
  readonly facts?: Partial<Facts>
  /** As `verdictOf` gives it. */
  readonly says: readonly string[]
}

export type Cases = Readonly<Record<string, readonly Case[]>>

export const good = goodFacts()
export const lost = unknownFact('it', 'lost')

export const virtual = (...lines: string[]): string =>
  ['virtual = 192.0.2.10:80', ...lines.map((line) => `    ${line}`), ''].join('\n')
export const masq = virtual('real = 10.0.0.2:80 masq')
export const gate = virtual('real = 10.0.0.2:80 gate')
export const mark = 'virtual = 5\n    real = 10.0.0.2 gate\n    checktype = on\n'

export const marks = (rules: Partial<Facts['firewall'][4]>): Partial<Facts> => ({
  firewall: { 4: { ...noFirewall(), ...rules }, 6: noFirewall() },
})
