import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Effort } from '../results.ts'
import { type Ours, startOurs } from './ours.ts'
import { type Perl, startPerl } from './perl.ts'
import type { Asked } from './services.ts'

export interface Measuring {
  readonly rounds: number
  readonly directory: string
  /** Where something listens: ends a round of Perl ldirectord's when what is measured says nothing. */
  readonly markerPort: number
  readonly withPerl: boolean
}

/**
 * Checks in one round of Perl's. Of a command there have to be more, for the time of its children is told in ticks only.
 * Those that are slow, on no CPU or on much, are fewer: Exim takes a fifth of a second for each, an ftp check of Perl's half a second.
 */
const roundSizes: Readonly<Record<string, number>> = {
  external: 150,
  ftp: 6,
  imap: 30,
  imaps: 30,
  ldaps: 20,
  pop: 30,
  pops: 30,
  smtp: 10,
  submission: 10,
}
const perRound = ({ service }: Asked): number => roundSizes[service] ?? 50

/** A daemon has run its checks often enough for the compiler to know them. */
const warmUp = { leastMs: 2500, leastChecks: 0 }
const ourRound = (asked: Asked) => ({ leastMs: 500, leastChecks: Math.min(50, perRound(asked)) })

/** Both in turn. Perl ldirectord sleeps a second between its rounds, and in that ours are done. */
export async function measureService(
  asked: Asked,
  options: Measuring,
): Promise<{ readonly ours: readonly Effort[]; readonly perl?: readonly Effort[] }> {
  const { rounds, withPerl } = options
  const directory = join(options.directory, asked.service)
  mkdirSync(directory)
  const file = writeBoth(asked, { ...options, directory })
  const ours: Effort[] = []
  const perl: Effort[] = []
  let we: Ours | undefined
  let they: Perl | undefined
  try {
    const monitor = join(directory, 'monitor')
    const wanted = { file, monitor, checksPerRound: perRound(asked), certificate: asked.certificate }
    we = startOurs(file)
    const starts = await Promise.allSettled([withPerl ? startPerl(wanted) : undefined, we.run(warmUp)])
    if (starts[0].status === 'fulfilled') they = starts[0].value
    for (const start of starts) if (start.status === 'rejected') throw start.reason
    for (let n = 0; n < rounds; n++) {
      ours.push(await we.run(ourRound(asked)))
      if (they !== undefined) perl.push(await they.round())
    }
    return they === undefined ? { ours } : { ours, perl }
  } finally {
    await Promise.all([we?.stop(), they?.stop()])
  }
}

/** One file for both. Perl ldirectord shares the run of real servers that are equal, so these have each its own weight. */
function writeBoth(asked: Asked, { directory, markerPort }: Measuring): string {
  const monitor = `monitorfile = "${join(directory, 'monitor')}"`
  const count = perRound(asked)
  const virtuals = Array.from({ length: count }, (_, at) => {
    const isLast = at === count - 1 && asked.isSilent !== true
    return virtual(1 + at, asked.port, [...asked.lines, ...(isLast ? [monitor] : [])])
  })
  const marker = asked.isSilent === true ? [virtual(1 + count, markerPort, ['checktype = connect', monitor])] : []
  const head = ['checkinterval = 1', 'checktimeout = 10', 'negotiatetimeout = 10', 'supervised = yes']
  // Perl ldirectord names its pid file after it.
  const file = join(directory, `bench-${process.pid}-${asked.service}.cf`)
  const log = `logfile = "${join(directory, 'log')}"`
  writeFileSync(file, [...head, log, ...virtuals, ...marker, ''].join('\n'))
  return file
}

const virtual = (at: number, port: number, lines: readonly string[]): string =>
  [`virtual = 192.0.2.1:${at}`, `real = 127.0.0.1:${port} masq ${at}`, ...lines].join('\n    ')
