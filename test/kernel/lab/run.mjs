// Runs one command inside a user-mode Linux that has IPVS, and exits with its status.
//
//   node test/kernel/lab/run.mjs [--core N] [--timeout SECONDS] [--mem MEGABYTES] [--] COMMAND [ARGUMENT...]
//
// for example, after `npx tsc -p test/tsconfig.json`:
//
//   node test/kernel/lab/run.mjs node node_modules/mocha/bin/mocha.js --exit dist/test/kernel/packets.test.js
//
// - The guest sees the host's files, the checkout among them, and runs in the same directory. Its /run and /var/log
//   are its own, and TMPDIR is a tmpfs, for inotify is blind on the host's files.
// - Results leave through files of the checkout: run.mjs passes stdout and stderr on as they come, and mocha's totals
//   are written by test/tools/reporter.cjs (`--reporter-option totals=FILE`, FILE below the checkout).
// - NODE_V8_COVERAGE, CI, NODE_OPTIONS and LAB_* reach the command, so coverage of what runs inside counts.
// - One instance uses one core (the guest is a ptraced process, crossing cores costs 2 to 4 times); several may run side by side.
// - Exit status: the command's; 69 when something is not installed, 98 after the timeout, 99 when the guest crashed.
import { spawn, spawnSync } from 'node:child_process'
import {
  accessSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const PASSED_ON = /^(NODE_V8_COVERAGE|NODE_OPTIONS|CI|FORCE_COLOR|NO_COLOR|LAB_\w+)$/
const POLL_MS = 100
const status = { notInstalled: 69, timeout: 98, crashed: 99 }

/** What must be there, and the Debian package that brings it. */
const needed = [
  ['/usr/bin/linux.uml', 'user-mode-linux'],
  ['/usr/lib/uml/modules', 'user-mode-linux'],
  ['/sbin/modprobe', 'kmod'],
  ['/sbin/ip', 'iproute2'],
  ['/usr/bin/pkill', 'procps'],
  ['/sbin/ipvsadm', 'ipvsadm'],
]

function refuseWhenIncomplete() {
  const missing = [...new Set(needed.filter(([file]) => !existsSync(file)).map(([, name]) => name))]
  if (missing.length === 0) return
  console.error(`lab: something is not installed: apt-get install --no-install-recommends ${missing.join(' ')}`)
  process.exit(status.notInstalled)
}

const { values: options, positionals: command } = parseArgs({
  args: splitAtCommand(process.argv.slice(2)),
  options: {
    core: { type: 'string', default: String(process.pid % availableParallelism()) },
    timeout: { type: 'string', default: '330' },
    mem: { type: 'string', default: '1536' },
  },
  allowPositionals: true,
})

/** Our options end where the command begins, also without `--`. */
function splitAtCommand(words) {
  let at = 0
  while (words[at]?.startsWith('--') && words[at] !== '--') at += words[at].includes('=') ? 1 : 2
  return words[at] === '--' ? words : [...words.slice(0, at), '--', ...words.slice(at)]
}

const quote = (word) => `'${word.replaceAll("'", `'\\''`)}'`

/** The kernel splits its command line at blanks, so everything that may hold one goes into files of a short path. */
function prepare() {
  const usual = tmpdir()
  const out = mkdtempSync(join(/\s|^\/(run|dev|proc|sys)\b/.test(usual) ? '/tmp' : usual, 'ldng-lab-'))
  copyFileSync(fileURLToPath(new URL('init.sh', import.meta.url)), join(out, 'init'), constants.COPYFILE_FICLONE)
  spawnSync('chmod', ['755', join(out, 'init')])
  const own = Object.entries(process.env).filter(([name]) => PASSED_ON.test(name))
  const exports = own.map(([name, value]) => `export ${name}=${quote(value)}\n`).join('')
  const words = command.map((word) => quote(word === 'node' ? process.execPath : word)).join(' ')
  writeFileSync(join(out, 'cwd'), process.cwd())
  writeFileSync(join(out, 'job'), `${exports}cd ${quote(process.cwd())} || exit 1\n${words}\n`)
  for (const name of ['stdout', 'stderr']) writeFileSync(join(out, name), '')
  return out
}

/** The guest's memory is a sparse file; in a container /dev/shm may be too small for it. */
function memoryDirectory() {
  try {
    accessSync('/dev/shm', constants.W_OK)
    const { bavail, bsize } = statfsSync('/dev/shm')
    return bavail * bsize > Number(options.mem) * 2 ** 20 ? '/dev/shm' : tmpdir()
  } catch {
    return tmpdir()
  }
}

function boot(out) {
  const console = openSync(join(out, 'console'), 'w')
  const kernel = [`mem=${options.mem}M`, 'rootfstype=hostfs', 'rw', `init=${out}/init`, `uml_dir=${out}/`]
  kernel.push('con=null', 'con0=null,fd:1', 'quiet', 'panic=-1', `OUT=${out}`)
  // The kernel makes itself a session of its own, so killing our process group would miss it: it dies with us instead.
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', 'taskset', '-c', options.core, 'linux.uml', ...kernel], {
    stdio: ['ignore', console, console],
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: out, TMPDIR: memoryDirectory() },
  })
  closeSync(console)
  return child
}

/**
 * A process in a session of its own that outlives us, however we end: told by the end of a pipe, it kills what is left of
 * the guest. The kernel's own end on TERM leaves a traced process behind now and then.
 */
function guard(out) {
  const script = 'cat; for n in 1 2 3; do pkill -KILL -f "^linux.uml .* OUT=$0" || break; sleep 0.2; done; rm -rf "$0"'
  const child = spawn('sh', ['-c', script, out], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  child.unref()
  child.stdin.unref()
}

/** Every process of the guest is a child of the kernel's process, or of one of those. */
function descendants(root) {
  const parents = new Map()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
    } catch {
      // Ended while we looked.
    }
  }
  const found = [root]
  for (let at = 0; at < found.length; at++) {
    for (const [pid, parent] of parents) if (parent === found[at]) found.push(pid)
  }
  return found
}

function killAll(child) {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  for (const pid of descendants(child.pid)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // Ended by itself.
    }
  }
}

/** Passes on what a growing file got since the last call. */
function follow(file, stream) {
  let at = 0
  return () => {
    const { size } = statSync(file)
    if (size <= at) return
    const descriptor = openSync(file, 'r')
    const buffer = Buffer.alloc(size - at)
    at += readSync(descriptor, buffer, 0, buffer.length, at)
    closeSync(descriptor)
    stream.write(buffer)
  }
}

async function main() {
  refuseWhenIncomplete()
  const out = prepare()
  guard(out)
  const child = boot(out)
  const remove = () => rmSync(out, { recursive: true, force: true, maxRetries: 3 })
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ]) {
    process.once(signal, () => {
      killAll(child)
      remove()
      process.exit(code)
    })
  }
  try {
    process.exitCode = await attend(child, out)
  } finally {
    killAll(child)
    remove()
  }
}

/** Waits for the end of the guest, or ends it. */
async function attend(child, out) {
  const passOn = [follow(join(out, 'stdout'), process.stdout), follow(join(out, 'stderr'), process.stderr)]
  const until = Date.now() + Number(options.timeout) * 1000
  let failed
  child.once('error', (error) => {
    failed = error
  })
  while (child.exitCode === null && child.signalCode === null && failed === undefined && Date.now() < until) {
    await delay(POLL_MS)
    for (const step of passOn) step()
  }
  const ended = child.exitCode !== null || child.signalCode !== null
  for (const step of passOn) step()
  if (failed !== undefined) throw failed
  if (!ended) {
    console.error(`lab: the command did not end within ${options.timeout} s`)
    return status.timeout
  }
  if (existsSync(join(out, 'rc'))) return Number(readFileSync(join(out, 'rc'), 'utf8'))
  console.error(`lab: the guest ended without a status\n${readFileSync(join(out, 'console'), 'utf8')}`)
  return status.crashed
}

if (command.length === 0) {
  console.error('usage: node test/kernel/lab/run.mjs [--core N] [--timeout SECONDS] [--mem MEGABYTES] [--] COMMAND ...')
  process.exitCode = 64
} else await main()
