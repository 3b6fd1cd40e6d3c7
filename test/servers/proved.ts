import { spawnSync } from 'node:child_process'
import type { CheckResult } from '../../src/model/verdict.ts'
import { type Ask, ask, verdictOf } from '../checks/probing.ts'

/** What the runs of one check against one real server have shown, for docs/services.md. */
export interface Proof {
  readonly check: string
  readonly server: string
  readonly debianPackage: string
  /** An up over IPv6 was seen. */
  ipv6: boolean
  /** An up with `starttls = yes` was seen. */
  starttls: boolean
  /** `up`, `down timeout` … */
  readonly verdicts: Set<string>
}

const proofs = new Map<string, Proof>()

/**
 * Use in a test with a real server, in place of `ask` of probing.ts (the test stays the same):
 *   const ask = asking('OpenLDAP', 'slapd') // its name, and the Debian package whose version is told
 */
export function asking(server: string, debianPackage: string): typeof ask {
  return async (question) => {
    const result = await ask(question)
    record({ check: question.check.name, server, debianPackage }, question, result)
    return result
  }
}

/** In the order in which the checks were first asked. */
export function allProofs(): readonly Proof[] {
  return [...proofs.values()]
}

/** The upstream part of a package's version: the installed one's, else that of the one Debian offers, to be unpacked. */
export function versionOf(debianPackage: string): string {
  const installed = say('dpkg-query', '-W', '-f', '$' + '{Version}', debianPackage)
  const offered = (): string => say('apt-cache', 'show', '--no-all-versions', debianPackage) ?? ''
  const version = installed ?? /^Version: (.*)$/m.exec(offered())?.[1] ?? ''
  return version.replace(/^\d+:/, '').replace(/[-+~].*/s, '')
}

function say(program: string, ...args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

function record(about: Pick<Proof, 'check' | 'server' | 'debianPackage'>, question: Ask, result: CheckResult): void {
  const key = `${about.check} ${about.server}`
  const proof = proofs.get(key) ?? { ...about, ipv6: false, starttls: false, verdicts: new Set<string>() }
  proofs.set(key, proof)
  proof.verdicts.add(verdictOf(result))
  if (result.verdict !== 'up') return
  if (question.address?.includes(':') === true) proof.ipv6 = true
  if (question.options?.['starttls'] === 'yes') proof.starttls = true
}
