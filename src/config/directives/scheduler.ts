import { spanIn } from '../../lib/decode.ts'
import type { Reporter } from '../../lib/diagnostics.ts'
import type { Directive } from '../../lib/fields.ts'
import { didYouMean } from '../../lib/suggest.ts'

/** The schedulers that Linux has (net/netfilter/ipvs). */
const SCHEDULERS = ['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'dh', 'sh', 'sed', 'nq', 'fo', 'ovf', 'mh', 'twos']

/** Bits of IP_VS_SVC_F_SCHED1, 2, 3 (ip_vs.h), by ipvsadm's words for them. */
const FLAGS: Readonly<Record<string, number>> = {
  'flag-1': 0x08,
  'flag-2': 0x10,
  'flag-3': 0x20,
  'sh-fallback': 0x08,
  'sh-port': 0x10,
  'mh-fallback': 0x08,
  'mh-port': 0x10,
}

/** The first run of lower-case letters. Any name is let through: the kernel loads the module of that name. */
export function decodeScheduler(directive: Directive, report: Reporter): string | undefined {
  const match = /[a-z]+/.exec(directive.value)
  if (match === null) {
    report.error('value', 'invalid scheduler, should be only lowercase letters (a-z)', directive.valueAt)
    return undefined
  }
  const [name] = match
  const at = spanIn(directive, match.index, name.length)
  if (directive.value.trimEnd().replaceAll('"', '') !== name) {
    report.warn('misread', `scheduler is read as "${name}": the first lower-case letters`, directive.valueAt)
  }
  if (!SCHEDULERS.includes(name)) {
    report.warn('value', `"${name}" is no scheduler that Linux has`, at, didYouMean(name, SCHEDULERS))
  }
  return name
}

/** The first run of non-blanks, words with commas between. */
export function decodeSchedulerFlags(directive: Directive, report: Reporter): number | undefined {
  const match = /\S+/.exec(directive.value)
  if (match === null) {
    report.error('value', 'invalid sched-flags', directive.valueAt)
    return undefined
  }
  let flags = 0
  for (const word of match[0].replaceAll('"', '').split(',')) {
    const bit = Object.hasOwn(FLAGS, word) ? FLAGS[word] : undefined
    const hint = didYouMean(word, Object.keys(FLAGS))
    if (bit === undefined) report.warn('value', `unknown scheduler flag "${word}" is left out`, directive.valueAt, hint)
    flags |= bit ?? 0
  }
  return flags
}

/** For printing: the neutral words, which every scheduler takes. */
export function formatSchedulerFlags(flags: number): string {
  return ['flag-1', 'flag-2', 'flag-3'].filter((word) => (flags & (FLAGS[word] ?? 0)) !== 0).join(',')
}
