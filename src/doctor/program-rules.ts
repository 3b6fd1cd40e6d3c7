import type { Config, Virtual } from '../config/model.ts'
import type { Span } from '../lib/diagnostics.ts'
import type { Facts, ProgramFile } from './facts.ts'
import { type Finding, finding, look, type Mend, mendHere, quoteShell, type Remark } from './finding.ts'
import { firstOfEach, type Rule } from './subject.ts'

/** A program that the configuration needs. */
interface Needed {
  /** What is looked for, the first that is there: a path, or a name to be looked for in PATH. */
  readonly candidates: readonly string[]
  /** What names it, `checkcommand`. */
  readonly by: string
  readonly at: Span
  /** `readable`: it is handed to an interpreter. */
  readonly must: 'execute' | 'readable'
  readonly severity: 'error' | 'warning'
  readonly why: string
}

const noState = 'its checks cannot tell, so no real server there ever changes state.'
const allDown = 'its checks fail, so every real server there is down.'

/** What must be looked up before the rule can speak: paths and names. */
export function programsOf(config: Config): readonly string[] {
  return [...new Set(neededBy(config).flatMap(({ candidates }) => candidates))]
}

/** Every program must be there, and one that is executed must be executable. */
export const programs: Rule = ({ config, facts }) => neededBy(config).flatMap((needed) => judge(needed, facts))

/** ProtectHome and PrivateTmp of the unit. */
const HIDDEN = /^\/(home|root|run\/user|tmp|var\/tmp)\//

/** What can be seen from a shell, and not by a daemon that systemd started. */
export const hiddenPrograms: Rule = ({ config, facts }) => {
  if (!facts.hasUnit) return []
  return neededBy(config).flatMap(({ candidates, by, at, why }): readonly Remark[] => {
    const name = candidates.find((each) => HIDDEN.test(each))
    const fact = name === undefined ? undefined : facts.programs.get(name)
    if (name === undefined || fact?.known !== true || fact.value.kind !== 'file') return []
    const message = `${by}: ${name} is there, and hidden from the daemon by its systemd unit`
    const long = `ProtectHome and PrivateTmp give it empty folders instead; ${why} Put it elsewhere, or take the setting back with systemctl edit.`
    return [finding('warning', 'hidden-program', { at, message, why: long })]
  })
}

function judge(needed: Needed, facts: Facts): readonly Remark[] {
  const { candidates } = needed
  const facing = candidates.map((name) => facts.programs.get(name))
  const index = facing.findIndex((fact) => fact?.known !== true || fact.value.kind !== 'missing')
  const name = candidates[Math.max(0, index)] ?? ''
  const fact = facing[index]
  if (index === -1) return [missing(needed, candidates.at(-1) ?? '')]
  if (fact === undefined) return []
  return look(fact, (file) => faultOf(needed, name, file))
}

function missing({ by, at, severity, why }: Needed, name: string): Finding {
  const where = name.includes('/') ? 'does not exist' : 'is in no folder of PATH'
  const mend = installs[name]
  const parts = { at, message: `${by}: ${name} ${where}`, why }
  return finding(severity, 'program', mend === undefined ? parts : { ...parts, mend })
}

/** On Debian. */
const installs: Readonly<Record<string, Mend>> = {
  ping: mendHere('apt-get install iputils-ping'),
  perl: mendHere('apt-get install perl'),
}

function faultOf({ by, at, severity, why, must }: Needed, name: string, file: ProgramFile): readonly Finding[] {
  if (file.kind === 'no-file') return [finding(severity, 'program', { at, message: `${by}: ${name} is no file`, why })]
  if (must === 'readable' || file.kind !== 'file' || (file.mode & 0o111) !== 0) return []
  const mend = mendHere(`chmod +x ${quoteShell(name)}`)
  return [finding(severity, 'program', { at, message: `${by}: ${name} may not be executed`, why, mend })]
}

/** In file order, each once. */
function neededBy(config: Config): readonly Needed[] {
  const all = config.virtuals.flatMap((virtual) => [...forChecks(virtual), ...forCommands(virtual)])
  const { callback } = config.globals
  if (callback !== undefined) {
    const at = { file: config.file, line: 1, column: 1, length: 1 }
    const why = 'nobody is told that the file changed.'
    all.push({ candidates: [callback], by: 'callback', at, must: 'execute', severity: 'warning', why })
  }
  return firstOfEach(all, ({ by, candidates }) => `${by} ${candidates.join(' ')}`)
}

function forChecks({ reals, at }: Virtual): Needed[] {
  const needed: Needed[] = []
  const add = (parts: Pick<Needed, 'candidates' | 'by' | 'why'> & Partial<Needed>): void => {
    needed.push({ at, must: 'execute', severity: 'error', ...parts })
  }
  for (const { checking } of reals) {
    const probes = checking.kind === 'probe' ? [checking.probe] : []
    if (checking.kind === 'combined') probes.push(checking.connect, checking.negotiate)
    for (const { check, options } of probes) {
      const command = options['checkcommand']
      if (check.name === 'ping') add({ candidates: ['ping'], by: 'ping checks', why: noState })
      if (check.kind !== 'external' || typeof command !== 'string') continue
      if (check.name === 'external') add({ candidates: commandOf(command), by: 'checkcommand', why: allDown })
      else {
        add({ candidates: ['perl'], by: 'external-perl checks', why: noState })
        add({ candidates: [command], by: 'checkcommand', must: 'readable', why: allDown })
      }
    }
  }
  return needed
}

/** The whole text is the path; only where no such file is, blanks separate arguments (checks/external.ts). */
function commandOf(text: string): readonly string[] {
  const [word = text] = text.split(/[ \t]+/).filter((part) => part !== '')
  return word === text ? [text] : [text, word]
}

function forCommands({ fallbackCommand, alert, at }: Virtual): Needed[] {
  const needed: Needed[] = []
  const common = { at, must: 'execute', severity: 'warning' } as const
  const [, script] = /^\s*"?\s*(\/[\w./+-]+)(?=["\s]|$)/.exec(fallbackCommand ?? '') ?? []
  if (script !== undefined) {
    const why = 'it is not run when all real servers are down, nor when one is back.'
    needed.push({ ...common, candidates: [script], by: 'fallbackcommand', why })
  }
  const [program] = alert.command ?? []
  if (program !== undefined) {
    needed.push({ ...common, candidates: [program], by: 'alertcommand', why: 'nobody is told of a change.' })
  }
  return needed
}
