import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

export interface Ended {
  readonly code: number
  readonly output: string
}

/** This machine's files under a layer of their own: what is installed or written there, the machine never sees. */
export interface DisposableRoot {
  /** Runs a shell script there as root; gives standard output and error as one. */
  run(script: string): Promise<Ended>
  /** As `run`; throws with what was said when it does not end with 0. */
  must(script: string): Promise<string>
  /** Puts a file of this machine there. */
  bring(file: string, path: string): Promise<void>
  /** Starts a program there, with its output in pipes. */
  start(script: string): ChildProcess
  close(): Promise<void>
}

/** Its own network too, so that fixed ports of loopback and a kernel's table are nobody else's. */
const setUp = `
set -e
mount -t tmpfs tmpfs "$0"
mkdir "$0/upper" "$0/work" "$0/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$0/upper,workdir=$0/work" "$0/root"
for each in /proc /dev /sys; do mount --rbind "$each" "$0/root$each"; done
mount -t tmpfs tmpfs "$0/root/run"
mount -t tmpfs tmpfs "$0/root/tmp"
ip link set lo up
echo ready
exec sleep infinity
`

/** Undefined, with the reason, where namespaces or an overlay are not to be had. */
export async function createDisposableRoot(): Promise<DisposableRoot | { readonly unavailable: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'ldng-root-'))
  const rootless = process.getuid?.() === 0 ? [] : ['--map-root-user']
  const holder = spawn('unshare', [...rootless, '--mount', '--net', 'sh', '-c', setUp, folder])
  const said = await firstWords(holder)
  if (said !== 'ready\n') {
    rmSync(folder, { recursive: true, force: true })
    return { unavailable: `no disposable root: ${said.trim()}` }
  }
  const words = (script: string): string[] => {
    const enter = ['--target', String(holder.pid), '--mount', '--net', ...(rootless.length > 0 ? ['--user'] : [])]
    const clean = ['env', '-i', '-C', '/', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin']
    return [...enter, 'chroot', join(folder, 'root'), ...clean, 'LC_ALL=C.UTF-8', 'sh', '-c', `exec 2>&1; ${script}`]
  }
  const run = (script: string): Promise<Ended> =>
    new Promise((resolve) => {
      const child = execFile('nsenter', words(script), { timeout: 60_000, maxBuffer: 2 ** 26 }, (_, output) =>
        resolve({ code: child.exitCode ?? -1, output }),
      )
      child.stdin?.end()
    })
  return {
    run,
    must: async (script) => {
      const { code, output } = await run(script)
      if (code !== 0) throw new Error(`${script}\nended with ${code}: ${output.slice(-2000)}`)
      return output
    },
    bring: async (file, path) => {
      const child = spawn('nsenter', words(`cat >'${path}'`), { stdio: ['pipe', 'ignore', 'ignore'] })
      await pipeline(createReadStream(file), child.stdin)
      if (child.exitCode === null) await once(child, 'close')
    },
    start: (script) => spawn('nsenter', words(script), { stdio: ['ignore', 'pipe', 'pipe'] }),
    close: async () => {
      const ended = new Promise((resolve) => holder.once('close', resolve))
      holder.kill('SIGKILL')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** What it says first, or everything when it ends before. */
function firstWords(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    child.stdout?.on('data', (chunk: Buffer) => resolve(chunk.toString()))
    child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()))
    child.once('error', (error) => resolve(error.message))
    child.once('close', () => resolve(text))
  })
}
