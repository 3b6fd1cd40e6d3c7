import type { Span } from '../lib/diagnostics.ts'
import { type Facts, moduleState } from './facts.ts'
import { finding, look, mendHere, type Remark } from './finding.ts'
import { firstOfEach, goalsOf, nameOf, type Rule } from './subject.ts'

/** IPVS itself. What is only not loaded yet is loaded by the kernel at the first question. */
export const ipvs: Rule = ({ config, facts }) =>
  look(moduleState(facts, 'ip_vs'), (state) => {
    if (state !== 'absent') return []
    const message = 'the kernel has no IPVS: the module ip_vs is neither in it nor to be found'
    const why = `there is no table to keep, so start and run end with 4. ${remedy(facts)}`
    return [finding('error', 'ip-vs', { at: firstLine(config.file), message, why })]
  })

/** One module for each scheduler in use. Nothing is said where there is no IPVS at all. */
export const scheduler: Rule = ({ config, facts }) => {
  const ipVs = moduleState(facts, 'ip_vs')
  if (ipVs.known && ipVs.value === 'absent') return []
  const first = firstOfEach(config.virtuals, ({ settings }) => settings.scheduler)
  return first.flatMap((virtual): readonly Remark[] => {
    const name = virtual.settings.scheduler
    return look(moduleState(facts, `ip_vs_${name}`), (state) => {
      if (state !== 'absent') return []
      const message = `the kernel has no scheduler ${name}: the module ip_vs_${name} is not to be found`
      const why = `the kernel refuses ${nameOf(virtual)}, so it is never in the table. ${remedy(facts)}`
      return [finding('error', 'scheduler', { at: virtual.at, message, why })]
    })
  })
}

/** Active and passive FTP through masquerading; the kernel never loads this one by itself (ip_vs_ftp). */
export const ftpHelper: Rule = ({ config, facts }) => {
  const goal = goalsOf(config).find(
    ({ virtual: { id }, forwarding }) => forwarding === 'masq' && id.kind === 'address' && id.port === 21,
  )
  if (goal === undefined) return []
  return look(moduleState(facts, 'ip_vs_ftp'), (state) => {
    if (state === 'present') return []
    const message = `ip_vs_ftp is not loaded, and ${nameOf(goal.virtual)} is FTP by masquerading`
    const why = 'the log-in works and every transfer fails: nobody rewrites the addresses that FTP sends as text.'
    if (state === 'loadable') {
      return [finding('warning', 'ip-vs-ftp', { at: goal.at, message, why, mend: mendHere('modprobe ip_vs_ftp') })]
    }
    return [finding('warning', 'ip-vs-ftp', { at: goal.at, message, why: `${why} ${remedy(facts)}` })]
  })
}

function remedy({ modules, kernel }: Facts): string {
  if (modules.locked) return 'kernel.modules_disabled is 1: load it at boot, before that is set.'
  const release = kernel.known ? ` (${kernel.value})` : ''
  return `Install the modules of this kernel${release}, or boot one that has it.`
}

function firstLine(file: string): Span {
  return { file, line: 1, column: 1, length: 1 }
}
