import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { ctime } from '../../src/lib/ctime.ts'
import { createLog, type Log, type LogOptions } from '../../src/log/log.ts'
import { temporaryFolder } from './temporary.ts'

const at = new Date(2026, 10, 7, 5, 3, 6).getTime()
const clock = {
  now: () => at,
  monotonic: () => 0,
  setTimer: (_name: string, ms: number, action: () => void) => {
    const timer = setTimeout(action, ms)
    return { cancel: () => clearTimeout(timer) }
  },
}
const head = '[Sat Nov  7 05:03:06 2026|a.cf|7] '

describe('log', () => {
  const folder = temporaryFolder()
  const logs: Log[] = []
  let complaints: string[] = []

  const open = (more: Partial<LogOptions> & Pick<LogOptions, 'logfile'>): Log => {
    const fixed = { instance: 'a.cf', toStdout: false, toFile: true, pid: 7, clock, env: {} }
    const log = createLog({ ...fixed, complain: (text) => complaints.push(text), ...more })
    logs.push(log)
    return log
  }
  const note = (log: Log, ...texts: string[]): void => {
    for (const text of texts) log.tell({ kind: 'note', text })
  }
  beforeEach(() => {
    complaints = []
  })
  afterEach(async () => {
    await Promise.all(logs.splice(0).map((log) => log.close()))
  })

  it("writes Perl ldirectord's line, the day padded with a blank", () => {
    const log = open({ logfile: folder.path('log') })
    log.tell({ kind: 'reload-signal' })
    log.tell({ kind: 'config-changed', file: '/a.cf', reread: true })
    assert.equal(
      readFileSync(folder.path('log'), 'utf8'),
      [
        `${head}Reloading Linux Director Daemon config on signal`,
        `${head}Configuration file '/a.cf' has changed on disk`,
        `${head} - reread new configuration`,
        '',
      ].join('\n'),
    )
    assert.equal(ctime(new Date(2026, 10, 21, 15, 53, 56).getTime()), 'Sat Nov 21 15:53:56 2026')
  })

  it('appends to what is there and escapes a hostile instance name', () => {
    writeFileSync(folder.path('log'), 'old\n')
    note(open({ logfile: folder.path('log'), instance: 'a\nb' }), 'new')
    assert.equal(readFileSync(folder.path('log'), 'utf8'), 'old\n[Sat Nov  7 05:03:06 2026|a\\nb|7] new\n')
  })

  it('follows a rename without a signal and loses nothing', () => {
    const log = open({ logfile: folder.path('log') })
    note(log, 'one')
    renameSync(folder.path('log'), folder.path('log.1'))
    note(log, 'two', 'three')
    assert.equal(readFileSync(folder.path('log.1'), 'utf8'), `${head}one\n`)
    assert.equal(readFileSync(folder.path('log'), 'utf8'), `${head}two\n${head}three\n`)
  })

  it('follows logrotate that has made the new file already', () => {
    const log = open({ logfile: folder.path('log') })
    note(log, 'one')
    renameSync(folder.path('log'), folder.path('log.1'))
    writeFileSync(folder.path('log'), '')
    note(log, 'two')
    assert.equal(readFileSync(folder.path('log'), 'utf8'), `${head}two\n`)
  })

  it('makes a deleted file anew', () => {
    const log = open({ logfile: folder.path('log') })
    note(log, 'one')
    unlinkSync(folder.path('log'))
    note(log, 'two')
    assert.equal(readFileSync(folder.path('log'), 'utf8'), `${head}two\n`)
  })

  it('goes on after reopen()', () => {
    const log = open({ logfile: folder.path('log') })
    note(log, 'one')
    log.reopen()
    note(log, 'two')
    assert.equal(readFileSync(folder.path('log'), 'utf8'), `${head}one\n${head}two\n`)
  })

  it('tells a full disk once, counts what is lost and goes on when there is room', () => {
    symlinkSync('/dev/full', folder.path('log'))
    const log = open({ logfile: folder.path('log') })
    note(log, 'one', 'two', 'three')
    assert.equal(complaints.length, 1)
    assert.match(complaints[0] ?? '', /log: ENOSPC.*dropped until it works again/)
    unlinkSync(folder.path('log'))
    note(log, 'four', 'five')
    assert.deepEqual(complaints.slice(1), [`ldirectord-ng: ${folder.path('log')}: works again, 3 log lines were lost`])
    assert.equal(
      readFileSync(folder.path('log'), 'utf8'),
      `${head}four\n${head}3 log lines before this one were lost\n${head}five\n`,
    )
  })

  it('tells a missing directory once, makes none, and goes on when it is there', () => {
    const log = open({ logfile: folder.path('gone/log') })
    note(log, 'one', 'two')
    assert.equal(complaints.length, 1)
    assert.match(complaints[0] ?? '', /ENOENT/)
    assert.equal(statSync(folder.path('gone'), { throwIfNoEntry: false }), undefined)
    mkdirSync(folder.path('gone'))
    note(log, 'three')
    assert.equal(complaints.length, 2)
    assert.match(readFileSync(folder.path('gone/log'), 'utf8'), /three\n.*2 log lines before/)
  })

  it('tells a directory in place of the file and does not throw', () => {
    mkdirSync(folder.path('log'))
    note(open({ logfile: folder.path('log') }), 'one')
    assert.match(complaints.join(), /EISDIR/)
  })

  it('goes to another file when the configuration says so', () => {
    const log = open({ logfile: folder.path('log') })
    note(log, 'one')
    log.retarget({ logfile: folder.path('other') })
    note(log, 'two')
    log.retarget({ logfile: folder.path('other') })
    note(log, 'three')
    assert.equal(readFileSync(folder.path('log'), 'utf8'), `${head}one\n`)
    assert.equal(readFileSync(folder.path('other'), 'utf8'), `${head}two\n${head}three\n`)
  })

  it('writes 10,000 lines in less than three seconds', () => {
    const log = open({ logfile: folder.path('log') })
    const begin = performance.now()
    for (let n = 0; n < 10_000; n++) note(log, `line ${n}`)
    assert.ok(performance.now() - begin < 3_000)
    const lines = readFileSync(folder.path('log'), 'utf8').split('\n')
    assert.equal(lines.length, 10_001)
    assert.equal(lines[9_999], `${head}line 9999`)
  })

  it('is silent after close', async () => {
    const log = open({ logfile: folder.path('log') })
    note(log, 'one')
    await log.close()
    note(log, 'two')
    assert.equal(readFileSync(folder.path('log'), 'utf8'), `${head}one\n`)
    assert.deepEqual(complaints, [])
  })

  describe('on standard output', () => {
    let stdout = -1
    beforeEach(() => {
      stdout = openSync(folder.path('stdout'), 'a')
    })
    afterEach(() => {
      closeSync(stdout)
    })

    it('writes the message behind the time, and the file as well', async () => {
      const log = open({ logfile: folder.path('log'), toStdout: true, stdout })
      note(log, 'one', 'two')
      await log.flush()
      assert.equal(
        readFileSync(folder.path('stdout'), 'utf8'),
        '[Sat Nov  7 05:03:06 2026] one\n[Sat Nov  7 05:03:06 2026] two\n',
      )
      assert.equal(readFileSync(folder.path('log'), 'utf8'), `${head}one\n${head}two\n`)
    })

    it('gives the journal the severity and leaves the time to it', async () => {
      const { dev, ino } = fstatSync(stdout)
      const env = { JOURNAL_STREAM: `${dev}:${ino}` }
      const log = open({ logfile: folder.path('log'), toFile: false, toStdout: true, stdout, env })
      note(log, 'one')
      log.tell({ kind: 'fault', text: 'two' })
      await log.flush()
      assert.equal(readFileSync(folder.path('stdout'), 'utf8'), '<6>one\n<3>Internal error: two\n')
      assert.equal(statSync(folder.path('log'), { throwIfNoEntry: false }), undefined)
    })

    it("takes a file for a file when JOURNAL_STREAM is another process's", async () => {
      const log = open({ logfile: '', toFile: false, toStdout: true, stdout, env: { JOURNAL_STREAM: '1:2' } })
      note(log, 'one')
      await log.flush()
      assert.equal(readFileSync(folder.path('stdout'), 'utf8'), '[Sat Nov  7 05:03:06 2026] one\n')
    })

    it('keeps the place of others who write to the same file', async () => {
      const log = open({ logfile: '', toFile: false, toStdout: true, stdout })
      appendFileSync(folder.path('stdout'), 'other\n')
      note(log, 'one')
      await log.flush()
      assert.equal(readFileSync(folder.path('stdout'), 'utf8'), 'other\n[Sat Nov  7 05:03:06 2026] one\n')
    })
  })

  it('says on standard error the bare messages and nothing else with -d', () => {
    const module = new URL('../../src/log/log.js', import.meta.url).href
    const script = `
      const { createLog } = await import(${JSON.stringify(module)})
      const log = createLog({ logfile: '${folder.path('log')}', instance: 'a', toFile: false, toStdout: false, toStderr: true })
      log.tell({ kind: 'config-changed', file: '/a.cf', reread: false })
      await log.close()`
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script])
    assert.deepEqual([status, String(stdout)], [0, ''])
    assert.equal(String(stderr), "Configuration file '/a.cf' has changed on disk\n - ignore new configuration\n")
    assert.equal(statSync(folder.path('log'), { throwIfNoEntry: false }), undefined)
  })

  it('complains on standard error by itself', () => {
    const module = new URL('../../src/log/log.js', import.meta.url).href
    const script = `
      const { createLog } = await import(${JSON.stringify(module)})
      const log = createLog({ logfile: '/dev/full', instance: 'a', toFile: true, toStdout: false })
      log.tell({ kind: 'note', text: 'one' })
      log.tell({ kind: 'note', text: 'two' })
      await log.close()`
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script])
    assert.equal(status, 0)
    assert.match(String(stderr), /^ldirectord-ng: \/dev\/full: ENOSPC.*\n$/)
  })

  it('does nothing but complain when a facility does not exist', () => {
    note(open({ logfile: 'locul0' }), 'one')
    assert.deepEqual(complaints, ['ldirectord-ng: no syslog facility locul0; nothing is logged there'])
  })
})
