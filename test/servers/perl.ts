import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** What Perl ldirectord makes of a real server; `no verdict` when its time was over and it had not said a word. */
export type PerlVerdict = 'up' | 'down' | 'no verdict' | 'daemon ended'

/** With -d a regular file ./ipvsadm is called in place of the system's: this one has an empty table and takes everything. */
const ipvsadm = `#!/bin/sh
[ "$1" = -L ] || exit 0
echo 'IP Virtual Server version 1.2.1 (size=4096)'
echo 'Prot LocalAddress:Port Scheduler Flags'
echo '  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn'
`

/** A check command that dies of a signal. */
const dies = `#!/bin/sh
kill -SEGV $$
`

/** A folder with a configuration and all that it names; removed after use. */
export async function withConfig<T>(text: string, use: (file: string, directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'ldng-perl-'))
  const file = join(directory, 'ldirectord.cf')
  try {
    await writeFile(join(directory, 'ipvsadm'), ipvsadm, { mode: 0o755 })
    await writeFile(join(directory, 'dies'), dies, { mode: 0o755 })
    await writeFile(file, text.replaceAll('@DIR@', directory))
    return await use(file, directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Forgotten by no way out: a Perl that waits for a frozen server would stay for ever. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export interface PerlRun {
  readonly file: string
  /** Holds the file, and the monitor file that the file names. */
  readonly directory: string
  readonly limitMs: number
  /** What Perl's libraries trust, in place of the system's list. */
  readonly certificate: string | undefined
}

/** Debian's Perl ldirectord up to its first verdict, which it writes to `monitor`. A process of its own: it may block. */
export async function askPerl({ file, directory, limitMs, certificate }: PerlRun): Promise<PerlVerdict> {
  const trusted = certificate === undefined ? {} : { SSL_CERT_FILE: certificate }
  const env = { ...process.env, PERLIO: 'perlio', ...trusted }
  const child = spawn('/usr/sbin/ldirectord', ['-d', file, 'start'], { cwd: directory, env, stdio: 'ignore' })
  running.add(child)
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()))
  try {
    const until = performance.now() + limitMs
    while (performance.now() < until) {
      const isOver = child.exitCode !== null || child.signalCode !== null || child.pid === undefined
      const verdict = await firstVerdict(join(directory, 'monitor'))
      if (verdict !== undefined) return verdict
      if (isOver) return 'daemon ended'
      await delay(20)
    }
    return 'no verdict'
  } finally {
    child.kill('SIGKILL')
    await ended
    running.delete(child)
  }
}

async function firstVerdict(monitor: string): Promise<'up' | 'down' | undefined> {
  const text = await readFile(monitor, 'latin1').catch(() => '')
  const word = /^\[.*?\] \[\d+\] .*? \[(up|down)\] /m.exec(text)?.[1]
  return word === 'up' || word === 'down' ? word : undefined
}
