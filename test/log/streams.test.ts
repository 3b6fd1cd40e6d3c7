import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, closeSync, constants, existsSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { isJournal } from '../../src/log/descriptor.ts'
import type { Line, Sink } from '../../src/log/sink.ts'
import { journalFormat, openStreamSink } from '../../src/log/stream-sink.ts'
import { openSyslogSink } from '../../src/log/syslog-sink.ts'
import { createVirtualClock } from '../lib/virtual-clock.ts'
import { temporaryFolder } from './temporary.ts'

const line = (text: string): Line => ({ severity: 'info', text, at: 0 })

describe('stream sink', () => {
  const folder = temporaryFolder()
  const open: number[] = []
  let complaints: string[] = []
  const complain = (text: string): void => void complaints.push(text)
  const format = ({ text }: Line): string => text

  /** A pipe whose reader is in our hand: first the reading end, then the writing end that a child would inherit. */
  const makePipe = (): { reader: number; writer: number } => {
    spawnSync('mkfifo', [folder.path('pipe')])
    const reader = openSync(folder.path('pipe'), constants.O_RDONLY | constants.O_NONBLOCK)
    const writer = openSync(folder.path('pipe'), constants.O_WRONLY)
    open.push(reader, writer)
    return { reader, writer }
  }
  const drain = (reader: number): string => {
    const chunk = Buffer.alloc(1 << 17)
    let text = ''
    for (;;) {
      try {
        const count = readSync(reader, chunk)
        if (count === 0) return text
        text += chunk.toString('utf8', 0, count)
      } catch {
        return text
      }
    }
  }
  beforeEach(() => {
    complaints = []
  })
  afterEach(() => {
    for (const fd of open.splice(0)) closeSync(fd)
  })

  it('does not stand still when nobody reads, and goes on when somebody does', async () => {
    const { reader, writer } = makePipe()
    const clock = createVirtualClock()
    const sink = openStreamSink({ fd: writer, name: 'standard output', format, complain, clock })
    const text = 'x'.repeat(999)
    for (let n = 0; n < 3000; n++) sink.write(line(text))
    assert.equal(complaints.length, 1)
    assert.match(complaints[0] ?? '', /standard output: nobody reads it; log lines are dropped/)
    let read = drain(reader).length
    for (let n = 0; n < 100 && clock.openTimers().length > 0; n++) {
      await clock.advance(50)
      read += drain(reader).length
    }
    assert.ok(read > 1_000_000 && read % 1000 === 0, `${read} bytes came, all lines whole`)
    assert.equal(complaints.length, 2)
    assert.equal(Number(/(\d+) log lines were lost/.exec(complaints[1] ?? '')?.[1]) + read / 1000, 3000)
    sink.write(line('after'))
    assert.equal(drain(reader), 'after\n')
    await sink.close()
  })

  it('tells once that its reader has gone', async () => {
    const { reader, writer } = makePipe()
    const sink = openStreamSink({ fd: writer, name: 'standard output', format, complain })
    closeSync(reader)
    open.shift()
    sink.write(line('one'))
    sink.write(line('two'))
    await sink.flush()
    assert.equal(complaints.length, 1)
    assert.match(complaints[0] ?? '', /EPIPE/)
    await sink.close()
  })

  it('ends in bounds when what waits can not be got rid of', async () => {
    const { reader, writer } = makePipe()
    const clock = createVirtualClock()
    const sink = openStreamSink({ fd: writer, name: 'standard output', format, complain, clock })
    for (let n = 0; n < 200; n++) sink.write(line('x'.repeat(999)))
    const closing = sink.close()
    await clock.advance(1_000)
    await closing
    sink.write(line('after close'))
    await clock.advance(100)
    const came = drain(reader).length / 1000
    assert.deepEqual(complaints, [`ldirectord-ng: standard output: ${200 - came} log lines were lost at the end`])
    assert.deepEqual(clock.openTimers(), [])
  })

  it('writes to a socket, as the journal is one', async () => {
    const script = `
      import { openStreamSink, journalFormat } from ${JSON.stringify(new URL('../../src/log/stream-sink.js', import.meta.url).href)}
      import { isSocket } from ${JSON.stringify(new URL('../../src/log/descriptor.js', import.meta.url).href)}
      const sink = openStreamSink({ fd: 3, name: 'x', format: journalFormat, complain: () => process.exit(9) })
      for (let n = 0; n < 5000; n++) sink.write({ severity: 'warning', text: 'line ' + n, at: 0 })
      await sink.close()
      process.exit(isSocket(3) ? 0 : 8)
    `
    writeFileSync(folder.path('writer.mjs'), script)
    const { spawn } = await import('node:child_process')
    const child = spawn(process.execPath, [folder.path('writer.mjs')], {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    })
    let received = ''
    child.stdio[3]?.on('data', (chunk: Buffer) => {
      received += chunk.toString()
    })
    const code = await new Promise((resolve) => child.once('close', resolve))
    assert.equal(code, 0)
    const lines = received.split('\n')
    assert.equal(lines.length, 5001)
    assert.equal(lines[4999], '<4>line 4999')
  })

  it('puts the severity before a line for the journal', () => {
    const severities = ['error', 'warning', 'notice', 'info'] as const
    assert.deepEqual(
      severities.map((severity) => journalFormat({ severity, text: 'x', at: 0 })),
      ['<3>x', '<4>x', '<5>x', '<6>x'],
    )
  })

  it('is not taken for the journal without its name, nor when it is closed', () => {
    assert.equal(isJournal(1, {}), false)
    assert.equal(isJournal(9999, { JOURNAL_STREAM: '1:2' }), false)
  })
})

describe('syslog sink', function () {
  this.timeout(15_000)
  const folder = temporaryFolder()
  let complaints: string[] = []
  let sink: Sink | undefined
  const complain = (text: string): void => void complaints.push(text)

  /** Stands for logger(1): writes its arguments and its standard input to files. */
  const program = (body: string): readonly string[] => {
    writeFileSync(folder.path('logger'), `#!/bin/sh\necho "$@" >> ${folder.path('args')}\n${body}\n`)
    chmodSync(folder.path('logger'), 0o755)
    return [folder.path('logger')]
  }
  const faithful = (): readonly string[] => program(`exec cat >> ${folder.path('lines')}`)
  const lines = (): string[] => {
    if (!existsSync(folder.path('lines'))) return []
    return readFileSync(folder.path('lines'), 'utf8').split('\n').slice(0, -1)
  }
  const start = (command: readonly string[], facility = 'local0'): Sink => {
    sink = openSyslogSink({ facility, pid: 4711, complain, command })
    return sink
  }
  beforeEach(() => {
    complaints = []
  })
  afterEach(async () => {
    await sink?.close()
    sink = undefined
  })

  it('gives one logger the priority and the text of each line', async () => {
    const log = start(faithful())
    log.write(line('one'))
    log.write({ severity: 'error', text: '%m %s $(reboot) `id` \\n', at: 0 })
    await log.close()
    assert.deepEqual(lines(), ['<134>one', '<131>%m %s $(reboot) `id` \\n'])
    assert.equal(readFileSync(folder.path('args'), 'utf8'), '--prio-prefix --tag ldirectord --id=4711 --size 8192\n')
    assert.deepEqual(complaints, [])
  })

  it('loses nothing of 5,000 lines at once', async () => {
    const log = start(faithful(), 'daemon')
    for (let n = 0; n < 5000; n++) log.write(line(`line ${n}`))
    await log.close()
    assert.equal(lines().length, 5000)
    assert.equal(lines()[4999], '<30>line 4999')
  })

  it('starts another when it has exited, and gives it the lines of the gap', async () => {
    const once = program(
      `if [ -e ${folder.path('second')} ]; then exec cat >> ${folder.path('lines')}; fi\n` +
        `touch ${folder.path('second')}; read -r first; echo "$first" >> ${folder.path('lines')}; exit 1`,
    )
    const log = start(once)
    log.write(line('one'))
    while (complaints.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    log.write(line('two'))
    log.write(line('three'))
    while (lines().length < 3) await new Promise((resolve) => setTimeout(resolve, 5))
    await log.close()
    assert.deepEqual(lines(), ['<134>one', '<134>two', '<134>three'])
    assert.deepEqual(complaints, ['ldirectord-ng: logger: exited (1); starting it again'])
  })

  it('goes on without a word to anybody but standard error when there is no logger', async () => {
    const log = start([folder.path('missing')])
    log.write(line('one'))
    while (complaints.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    log.write(line('two'))
    await log.flush()
    await log.close()
    const missing = `spawn ${folder.path('missing')} ENOENT`
    assert.deepEqual(complaints, [
      `ldirectord-ng: syslog local0: logger ${missing}; log lines are dropped until it works again`,
      `ldirectord-ng: logger: ${missing}; starting it again`,
      'ldirectord-ng: syslog local0: 2 log lines were lost at the end',
    ])
  })

  it('does not wait for a logger that takes nothing', async () => {
    const log = start(program('exec sleep 20'))
    const begin = performance.now()
    for (let n = 0; n < 4000; n++) log.write(line('x'.repeat(1000)))
    assert.ok(performance.now() - begin < 2_000)
    assert.match(complaints[0] ?? '', /syslog local0: logger does not keep up; log lines are dropped/)
    await log.close()
    assert.ok(performance.now() - begin < 5_000)
  })

  it('reaches a syslog socket through the real logger', async () => {
    // The program has no option for another socket without changing its arguments, so it gets them before ours.
    const received: string[] = []
    const server = createServer((socket) => {
      socket.on('data', (chunk) => received.push(chunk.toString('latin1')))
    })
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    try {
      const { port } = server.address() as { port: number }
      const log = start(['logger', '--rfc3164', '--tcp', '--server', '127.0.0.1', '--port', String(port)])
      log.write({ severity: 'warning', text: 'Deleted real server: 192.0.2.20:80 (192.0.2.10:80) 100%m', at: 0 })
      await log.close()
      while (received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      assert.match(received.join(''), /<134>.* ldirectord\[4711\]: Deleted real server: 192\.0\.2\.20:80 .* 100%m/)
    } finally {
      await new Promise((resolve) => server.close(resolve))
    }
  })
})
