import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { daemonize, readySignal } from '../../../src/control/process/daemonize.ts'
import { isDirector } from '../../../src/control/process/director-process.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { temporaryFolder } from '../../log/temporary.ts'

const module = pathToFileURL(new URL('../../../src/control/process/daemonize.js', import.meta.url).pathname).href

/** A daemon of a few lines: tells of itself in a file, then does what its first argument says. */
const source = `
import { readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { isDaemonChild, readySignal } from ${JSON.stringify(module)}
const [act, file] = process.argv.slice(2)
const wasChild = isDaemonChild()
const signal = readySignal()
const link = (fd) => readlinkSync('/proc/self/fd/' + fd)
const stat = readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ')
writeFileSync(file, JSON.stringify({
  pid: process.pid, wasChild, marked: process.env.LDIRECTORD_NG_DAEMON ?? null, cwd: process.cwd(),
  stdio: [link(0), link(1), link(2)], session: Number(stat[3]), argv: process.argv.slice(2),
}))
const stay = () => setTimeout(() => process.exit(0), 20000)
if (act === 'ready') { signal.ready(); signal.failed(9, 'too late'); stay() }
if (act === 'failed') { signal.failed(4, 'no IPVS in this kernel\\nmodprobe ip_vs'); process.exit(4) }
if (act === 'exit') process.exit(Number(process.argv[4]))
if (act === 'die') process.kill(process.pid, 'SIGKILL')
if (act === 'silent') stay()
if (act === 'babble') { (await import('node:fs')).writeSync(3, 'hello\\u001b[2J\\n'); stay() }
`

function isSocket(pid: number, fd: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:')
  } catch {
    return false
  }
}

interface Told {
  readonly pid: number
  readonly session: number
  readonly [more: string]: unknown
}

describe('daemonize', function () {
  this.timeout(15_000)
  const folder = temporaryFolder()
  const script = (): string => folder.path('ldirectord-fake.mjs')
  const told = (): Told => JSON.parse(readFileSync(folder.path('told'), 'utf8')) as Told
  const run = (act: string, ...more: string[]): ReturnType<typeof daemonize> =>
    daemonize({ script: script(), args: [act, folder.path('told'), ...more] })

  beforeEach(() => {
    writeFileSync(script(), source)
  })
  afterEach(() => {
    if (!existsSync(folder.path('told'))) return
    const { pid } = told()
    if (isDirector(pid)) process.kill(pid, 'SIGKILL')
  })

  it('waits for the word and leaves a daemon in a session of its own, in /, on /dev/null', async () => {
    assert.deepEqual(await run('ready', 'start'), { exitCode: 0, message: '' })
    const { pid, ...more } = told()
    assert.deepEqual(more, {
      wasChild: true,
      marked: null,
      cwd: '/',
      stdio: ['/dev/null', '/dev/null', '/dev/null'],
      session: pid,
      argv: ['ready', folder.path('told'), 'start'],
    })
    assert.equal(isDirector(pid), true)
    assert.match(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), /ldirectord-fake\.mjs\0ready\0.*told\0start/)
    // It closes its end after it has spoken; until mocha's time is over.
    const hasSocket = (): boolean => readdirSync(`/proc/${pid}/fd`).some((fd) => isSocket(pid, fd))
    while (hasSocket()) await new Promise((resolve) => setTimeout(resolve, 10))
  })

  it("hands on the daemon's exit code and its words, in one line", async () => {
    assert.deepEqual(await run('failed'), { exitCode: 4, message: 'no IPVS in this kernel; modprobe ip_vs' })
  })

  it('takes its end for the answer when it says nothing', async () => {
    const message = 'the daemon ended before it was ready (exit 70)'
    assert.deepEqual(await run('exit', '70'), { exitCode: 70, message })
  })

  it('is content with an end that was wished for', async () => {
    assert.deepEqual(await run('exit', '0'), { exitCode: 0, message: '' })
  })

  it('calls it a bug when the daemon is killed', async () => {
    const message = 'the daemon ended before it was ready (SIGKILL)'
    assert.deepEqual(await run('die'), { exitCode: 70, message })
  })

  it('lets the caller go with a remark when the first pass takes long', async () => {
    let expire = (): void => undefined
    const clock = {
      ...systemClock,
      setTimer: (_name: string, _ms: number, action: () => void) => {
        expire = action
        return { cancel: () => undefined }
      },
    }
    const waiting = daemonize({ script: script(), args: ['silent', folder.path('told')], clock })
    while (!existsSync(folder.path('told')) || readFileSync(folder.path('told'), 'utf8') === '') {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expire()
    const report = await waiting
    assert.equal(report.exitCode, 0)
    assert.match(report.message, /still busy with its first pass, pid \d+/)
  })

  it('escapes what it does not understand', async () => {
    assert.deepEqual(await run('babble'), { exitCode: 70, message: 'the daemon said hello\\x1b[2J' })
  })

  it('says nothing where nobody waits', () => {
    const env: NodeJS.ProcessEnv = {}
    const signal = readySignal(env)
    signal.ready()
    signal.failed(1, 'x')
    assert.deepEqual(env, {})
  })
})
