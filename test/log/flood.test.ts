import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, constants, existsSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs'
import { openFileSink } from '../../src/log/file-sink.ts'
import type { Line, Sink } from '../../src/log/sink.ts'
import { openStreamSink } from '../../src/log/stream-sink.ts'
import { openSyslogSink } from '../../src/log/syslog-sink.ts'
import { heldBytes } from '../tools/memory.ts'
import { temporaryFolder } from './temporary.ts'

const aSecond = 10_000
const line = (n: number): Line => {
  const real = `198.51.${(n >> 8) & 255}.${n & 255}:80`
  return {
    severity: 'warning',
    text: `Soft failure real server: ${real} (tcp:192.0.2.10:80) failure ${n}/100000`,
    at: 0,
  }
}

describe('10,000 log lines a second of failing real servers', function () {
  this.timeout(60_000)
  const folder = temporaryFolder()
  let complaints: string[] = []
  let sink: Sink | undefined
  const complain = (text: string): void => void complaints.push(text)
  beforeEach(() => {
    complaints = []
  })
  afterEach(async () => {
    await sink?.close()
    sink = undefined
  })

  /** Ten seconds of them, in turns of the event loop as they come; gives what is held more than before, and the work. */
  const flood = async (to: Sink): Promise<{ held: number; cpuMs: number }> => {
    const before = heldBytes()
    const work = process.cpuUsage()
    for (let n = 0; n < 10 * aSecond; n++) {
      to.write(line(n))
      if (n % 100 === 99) await new Promise((resolve) => setImmediate(resolve))
    }
    const { user, system } = process.cpuUsage(work)
    return { held: heldBytes() - before, cpuMs: (user + system) / 1000 }
  }
  /** No second of lines may take a second of work, or nothing else would come to its turn; and what waits has a bound. */
  const isBounded = ({ held, cpuMs }: { held: number; cpuMs: number }): void => {
    assert.ok(held < 8 << 20, `${held} bytes are held`)
    assert.ok(cpuMs < 9_000, `100,000 lines took ${cpuMs} ms of work`)
  }
  const lostIn = (text: string | undefined): number => Number(/(\d+) log lines were lost/.exec(text ?? '')?.[1])

  it('are all in the log file', async () => {
    sink = openFileSink(folder.path('log'), ({ text }) => text, complain)
    isBounded(await flood(sink))
    const lines = readFileSync(folder.path('log'), 'utf8').split('\n')
    assert.deepEqual([lines.length, lines.at(-2), complaints], [100_001, line(99_999).text, []])
  })

  it('wait in bounds for a syslog that reads nothing, and those that were dropped are counted', async () => {
    const [go, taken] = [folder.path('go'), folder.path('taken')]
    writeFileSync(
      folder.path('logger'),
      `#!/bin/sh\nwhile [ ! -e ${go} ]; do sleep 0.05; done\nexec cat >> ${taken}\n`,
      {
        mode: 0o755,
      },
    )
    sink = openSyslogSink({ facility: 'local0', pid: 1, complain, command: [folder.path('logger')] })
    isBounded(await flood(sink))
    assert.deepEqual(complaints, [
      'ldirectord-ng: syslog local0: logger does not keep up; log lines are dropped until it works again',
    ])
    writeFileSync(go, '')
    let written = 10 * aSecond
    while (complaints.length < 2) {
      sink.write(line(written++))
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await sink.close()
    const came = existsSync(taken) ? readFileSync(taken, 'utf8').split('\n').length - 1 : 0
    assert.equal(came + lostIn(complaints[1]), written)
    assert.equal(complaints.length, 2)
  })

  it('wait in bounds for a standard output that nobody reads, and those that were dropped are counted', async () => {
    spawnSync('mkfifo', [folder.path('pipe')])
    const reader = openSync(folder.path('pipe'), constants.O_RDONLY | constants.O_NONBLOCK)
    const writer = openSync(folder.path('pipe'), constants.O_WRONLY)
    try {
      sink = openStreamSink({ fd: writer, name: 'standard output', format: ({ text }) => text, complain })
      isBounded(await flood(sink))
      await sink.close()
      const chunk = Buffer.alloc(1 << 20)
      const came = chunk.subarray(0, readSync(reader, chunk)).toString('latin1').split('\n').length - 1
      assert.match(complaints[0] ?? '', /standard output: nobody reads it; log lines are dropped until it works again$/)
      assert.match(complaints[1] ?? '', /log lines were lost at the end$/)
      const lost = lostIn(complaints[1])
      // A line of which the pipe has a part is among those that were lost.
      assert.equal(came + lost, 10 * aSecond, `${came} came, ${lost} were lost`)
    } finally {
      closeSync(reader)
      closeSync(writer)
    }
  })
})
