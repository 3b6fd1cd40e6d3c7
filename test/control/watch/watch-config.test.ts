import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, realpathSync, renameSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { pathSteps } from '../../../src/control/watch/path-steps.ts'
import { type ConfigWatch, type WatchConfigOptions, watchConfig } from '../../../src/control/watch/watch-config.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { createVirtualClock } from '../../lib/virtual-clock.ts'
import { temporaryFolder } from '../../log/temporary.ts'

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex')

/** What the watcher says, to be waited for. */
function makeLedger(): { say(text: string): void; next(): Promise<string>; readonly unread: readonly string[] } {
  const said: string[] = []
  const waiting: ((text: string) => void)[] = []
  return {
    unread: said,
    say: (text) => {
      const wake = waiting.shift()
      if (wake === undefined) said.push(text)
      else wake(text)
    },
    next: () =>
      new Promise((resolve) => {
        const text = said.shift()
        if (text === undefined) waiting.push(resolve)
        else resolve(text)
      }),
  }
}

describe('watchConfig', () => {
  const folder = temporaryFolder()
  let watcher: ConfigWatch | undefined
  let ledger = makeLedger()
  let loaded = ''

  const file = (): string => folder.path('a.cf')
  const names = new Map(['one', 'two', 'three', 'bad'].map((text) => [digestOf(text), text]))

  /** The periodic comparison is out of the way here: what is seen is seen by its event. */
  const start = (more: Partial<WatchConfigOptions> = {}): void => {
    watcher = watchConfig({
      file: file(),
      clock: systemClock,
      digest: () => digestOf(loaded),
      onChange: (digest) => {
        const text = names.get(digest) ?? digest
        if (text !== 'bad') loaded = text
        ledger.say(text)
      },
      onMissing: (reason) => ledger.say(`missing: ${reason.split(':')[0]}`),
      settleMs: 40,
      everyMs: 1e8,
      ...more,
    })
  }
  beforeEach(() => {
    ledger = makeLedger()
    loaded = 'one'
    writeFileSync(file(), 'one')
  })
  afterEach(async () => {
    await watcher?.close()
    watcher = undefined
  })

  it('tells when the content in force is there again', async () => {
    start({ onCurrent: () => ledger.say('current') })
    writeFileSync(file(), 'bad')
    assert.equal(await ledger.next(), 'bad')
    writeFileSync(file(), 'one')
    assert.equal(await ledger.next(), 'current')
  })

  it('sees a write in place, again and again', async () => {
    start()
    writeFileSync(file(), 'two')
    assert.equal(await ledger.next(), 'two')
    writeFileSync(file(), 'three')
    assert.equal(await ledger.next(), 'three')
  })

  it('sees a rename over it', async () => {
    start()
    for (const text of ['two', 'three']) {
      writeFileSync(folder.path('a.cf.new'), text)
      renameSync(folder.path('a.cf.new'), file())
      assert.equal(await ledger.next(), text)
    }
  })

  it('sees an editor that removes it and writes it anew', async () => {
    start()
    unlinkSync(file())
    assert.equal(await ledger.next(), 'missing: ENOENT')
    writeFileSync(file(), 'two')
    assert.equal(await ledger.next(), 'two')
    assert.deepEqual(ledger.unread, [])
  })

  it('sees the swap of a symlink that is the file', async () => {
    unlinkSync(file())
    for (const text of ['one', 'two', 'three']) writeFileSync(folder.path(text), text)
    symlinkSync('one', file())
    start()
    for (const text of ['two', 'three']) {
      symlinkSync(text, folder.path('link'))
      renameSync(folder.path('link'), file())
      assert.equal(await ledger.next(), text)
    }
    writeFileSync(folder.path('three'), 'bad')
    assert.equal(await ledger.next(), 'bad', 'the file behind the new link is followed')
  })

  it('sees the swap of a symlink to a directory on its way, twice', async () => {
    for (const text of ['one', 'two', 'three']) {
      mkdirSync(folder.path(`release-${text}`))
      writeFileSync(folder.path(`release-${text}/b.cf`), text)
    }
    symlinkSync('release-one', folder.path('current'))
    start({ file: folder.path('current/b.cf') })
    for (const text of ['two', 'three']) {
      symlinkSync(`release-${text}`, folder.path('link'))
      renameSync(folder.path('link'), folder.path('current'))
      assert.equal(await ledger.next(), text)
    }
    writeFileSync(folder.path('release-three/b.cf'), 'bad')
    assert.equal(await ledger.next(), 'bad')
  })

  it('sees a change that fell between reading the file and the watch', async () => {
    writeFileSync(file(), 'two')
    start()
    assert.equal(await ledger.next(), 'two')
  })

  it('tells a bad content once, and the good one after it', async () => {
    start()
    writeFileSync(file(), 'bad')
    assert.equal(await ledger.next(), 'bad')
    utimesSync(file(), 1, 1)
    writeFileSync(folder.path('other'), 'noise')
    writeFileSync(file(), 'two')
    assert.equal(await ledger.next(), 'two')
    assert.deepEqual(ledger.unread, [])
  })

  describe('by its periodic comparison', () => {
    const everyMs = 10_000
    const clock = createVirtualClock()
    /** Real reading of a file in the midst of virtual time: wait until it was answered. */
    const tick = async (): Promise<void> => {
      await clock.advance(everyMs)
      for (let n = 0; n < 200 && clock.openTimers().every((name) => name !== 'config compare'); n++) {
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
    /** Events never settle within a test, so only the comparison can see. */
    const startDeaf = (): void => start({ clock, everyMs, settleMs: 1e9 })

    it('sees what no event told', async () => {
      startDeaf()
      await tick()
      assert.deepEqual(ledger.unread, [])
      writeFileSync(file(), 'two')
      await tick()
      assert.deepEqual(ledger.unread, ['two'])
      await tick()
      assert.deepEqual(ledger.unread, ['two'])
    })

    it('does not take a touched file for a changed one, whatever its time', async () => {
      startDeaf()
      utimesSync(file(), 1, 1)
      await tick()
      utimesSync(file(), 2e9, 2e9)
      await tick()
      assert.deepEqual(ledger.unread, [])
    })

    it('tells once that the file is missing, and once more after it was back', async () => {
      startDeaf()
      unlinkSync(file())
      await tick()
      await tick()
      assert.deepEqual(ledger.unread, ['missing: ENOENT'])
      writeFileSync(file(), 'one')
      await tick()
      unlinkSync(file())
      await tick()
      assert.deepEqual(ledger.unread, ['missing: ENOENT', 'missing: ENOENT'])
      writeFileSync(file(), 'two')
      await tick()
      assert.deepEqual(ledger.unread, ['missing: ENOENT', 'missing: ENOENT', 'two'])
    })

    it('tells a bad content once, and once more when it came back after the good one', async () => {
      startDeaf()
      for (const text of ['bad', 'bad', 'one', 'bad']) {
        writeFileSync(file(), text)
        await tick()
      }
      assert.deepEqual(ledger.unread, ['bad', 'bad'])
    })

    it('is quiet after close', async () => {
      startDeaf()
      await watcher?.close()
      writeFileSync(file(), 'two')
      await clock.advance(5 * everyMs)
      assert.deepEqual(clock.openTimers(), [])
      assert.deepEqual(ledger.unread, [])
    })
  })
})

describe('pathSteps', () => {
  const folder = temporaryFolder()
  const here = (name: string): string => `${realpathSync(folder.path('.'))}${name === '' ? '' : `/${name}`}`

  it('names every symlink on the way and the file at its end', () => {
    mkdirSync(folder.path('..release'))
    writeFileSync(folder.path('..release/x.cf'), '')
    symlinkSync('..release', folder.path('..data'))
    symlinkSync('..data/x.cf', folder.path('x.cf'))
    assert.deepEqual(pathSteps(here('x.cf')), [
      { directory: here(''), name: 'x.cf' },
      { directory: here(''), name: '..data' },
      { directory: here('..release'), name: 'x.cf' },
    ])
  })

  it('ends at what is missing', () => {
    assert.deepEqual(pathSteps(here('gone/x.cf')), [{ directory: here(''), name: 'gone' }])
  })

  it('ends with links that go round', () => {
    symlinkSync('loop', folder.path('loop'))
    assert.ok(pathSteps(here('loop')).length < 50)
  })
})
