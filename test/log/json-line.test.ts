import assert from 'node:assert/strict'
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { Secret } from '../../src/lib/secret.ts'
import { jsonLine } from '../../src/log/json-line.ts'
import { createLog, type Log, type LogOptions } from '../../src/log/log.ts'
import type { Event } from '../../src/model/events.ts'
import { down } from '../../src/model/verdict.ts'
import { createVirtualClock } from '../lib/virtual-clock.ts'
import { temporaryFolder } from './temporary.ts'

const at = Date.UTC(2026, 10, 7, 5, 3, 6, 78)
const head = { time: '2026-11-07T05:03:06.078Z', pid: 7, instance: 'a.cf' }

describe('logformat = json', () => {
  const folder = temporaryFolder()
  const logs: Log[] = []
  let complaints: string[] = []
  const open = (more: Partial<LogOptions> = {}): Log => {
    const fixed: LogOptions = {
      ...{ logfile: folder.path('log'), logFormat: 'json', instance: 'a.cf', toFile: true, toStdout: false },
      ...{ pid: 7, clock: createVirtualClock(at), env: {}, complain: (text) => complaints.push(text) },
    }
    const log = createLog({ ...fixed, ...more })
    logs.push(log)
    return log
  }
  const written = (name = 'log'): unknown[] =>
    readFileSync(folder.path(name), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as unknown)
  beforeEach(() => {
    complaints = []
  })
  afterEach(async () => {
    await Promise.all(logs.splice(0).map((log) => log.close()))
  })

  it('has one object for each event, with its kind, its words and what it is made of', () => {
    const of = { virtual: '192.0.2.10:80', identity: 'tcp:192.0.2.10:80', real: '192.0.2.20:80' }
    const result = down('refused', 'connection refused while connecting')
    const log = open()
    log.tell({ kind: 'real-added', turn: 'in', weight: 3, ...of })
    log.tell({ kind: 'soft-failure', failures: 1, failureCount: 3, result, ...of })
    log.tell({ kind: 'starting', pid: 7, daemon: true })
    log.tell({ kind: 'note', text: 'one' })
    const [added, soft, starting, note] = written()
    assert.deepEqual(added, {
      ...{ ...head, level: 'notice', event: 'real-added' },
      message: 'Added real server: 192.0.2.20:80 (192.0.2.10:80) (Weight set to 3)',
      ...{ turn: 'in', weight: 3, ...of },
    })
    assert.deepEqual(soft, {
      ...{ ...head, level: 'warning', event: 'soft-failure' },
      message:
        'Soft failure real server: 192.0.2.20:80 (tcp:192.0.2.10:80) failure 1/3\n' +
        'Check failed: 192.0.2.20:80 (tcp:192.0.2.10:80): connection refused while connecting',
      ...{ failures: 1, failureCount: 3, result, ...of },
    })
    assert.deepEqual(Object.keys(starting as object).slice(0, 6), [
      'time',
      'level',
      'pid',
      'instance',
      'event',
      'message',
    ])
    assert.deepEqual(note, { ...head, level: 'info', event: 'note', message: 'one' })
  })

  it('shows no secret and nothing that moves a terminal', () => {
    const hostile = {
      kind: 'drift',
      text: 'a\u001b[31m\nb\u202e',
      password: new Secret('swordfish'),
    } as unknown as Event
    const line = jsonLine({ severity: 'info', text: 'x\u009b', at, event: hostile }, { instance: 'a\nb', pid: 7 })
    assert.deepEqual(JSON.parse(line), {
      ...{ ...head, instance: 'a\nb', level: 'info', event: 'drift', message: 'x\\x9b' },
      ...{ text: 'a\\x1b[31m\nb\\u{202e}', password: '(hidden)' },
    })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u202e]/)
  })

  it('leaves the parts of a very long event out, and says so', () => {
    const plan = Array.from({ length: 1000 }, (_, n) => `-d -t 192.0.2.1:80 -r 192.0.2.${n}:80`)
    const event: Event = { kind: 'reload-refused', file: '/a.cf', reasons: ['why'], plan }
    const line = jsonLine({ severity: 'error', text: 'no', at, event }, { instance: 'a.cf', pid: 7 })
    assert.deepEqual(JSON.parse(line), {
      ...head,
      level: 'error',
      event: 'reload-refused',
      message: 'no',
      truncated: true,
    })
  })

  it('is taken on by a reload and left again, in the file that stays open', () => {
    const log = open({ logFormat: 'text' })
    const logfile = folder.path('log')
    const note = (text: string): void => log.tell({ kind: 'note', text })
    note('one')
    log.retarget({ logfile, logFormat: 'json' })
    note('two')
    log.retarget({ logfile })
    note('three')
    const lines = readFileSync(logfile, 'utf8').split('\n')
    assert.match(lines[0] ?? '', /\|a\.cf\|7\] one$/)
    assert.equal(JSON.parse(lines[1] ?? '').message, 'two')
    assert.match(lines[2] ?? '', /\|a\.cf\|7\] three$/)
  })

  it('says in JSON too how many lines were lost, and follows a rename and a folder that was away', () => {
    mkdirSync(folder.path('sub'))
    const log = open({ logfile: folder.path('sub/log') })
    const note = (text: string): void => log.tell({ kind: 'drift', text })
    note('one')
    renameSync(folder.path('sub'), folder.path('old'))
    note('two')
    note('three')
    mkdirSync(folder.path('sub'))
    note('four')
    assert.deepEqual(written('old/log').length, 1)
    const [four, lost] = written('sub/log')
    assert.equal((four as { text: string }).text, 'four')
    assert.deepEqual(lost, {
      ...{ ...head, level: 'warning', event: 'note', message: '2 log lines before this one were lost' },
    })
    assert.equal(complaints.length, 2, complaints.join('\n'))
    rmSync(folder.path('sub'), { recursive: true })
  })

  it('goes to standard output as well', async () => {
    const stdout = openSync(folder.path('stdout'), 'a')
    try {
      const log = open({ toFile: false, toStdout: true, stdout })
      log.tell({ kind: 'note', text: 'one' })
      await log.flush()
      assert.deepEqual(written('stdout'), [{ ...head, level: 'info', event: 'note', message: 'one' }])
    } finally {
      closeSync(stdout)
    }
  })
})
