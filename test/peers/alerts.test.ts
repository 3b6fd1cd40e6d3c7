import { strict as assert } from 'node:assert'
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { skipBecause } from '../tools/skip.ts'
import { type Arena, type Contestant, openArena, type Stage } from './arena.ts'
import type { TakenMail } from './mailbox.ts'

const address = '10.50.7.2'
const config = `checktimeout=5
checkinterval=1
emailalert=ops@example.test
emailalertfreq=4
smtp=127.0.0.1
virtual=10.9.9.1:80
    real=${address}:80 masq 3
    service=http
    checktype=connect
    scheduler=rr
    fallback=127.0.0.1:80 gate
    servicename=the web
    comment=call "Bob"
`
const quiescent = `${config.replace('    servicename=the web\n    comment=call "Bob"\n', '    quiescent=yes\n')}`

interface Mailbox {
  /** Mails since the last look. */
  take(): TakenMail[]
  until(...subjects: readonly string[]): Promise<void>
  /** Until none has come for a while. */
  untilQuiet(): Promise<void>
}

const quietMs = 6000

async function openMailbox({ director }: Contestant): Promise<Mailbox> {
  const program = fileURLToPath(new URL('mailbox.js', import.meta.url))
  const child = director.spawn(process.execPath, [program])
  let text = ''
  let looked = 0
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const all = (): TakenMail[] =>
    text
      .split('\n')
      .slice(1, -1)
      .map((line) => JSON.parse(line) as TakenMail)
  const isThere = (subject: string): boolean =>
    all().some(({ headers }, at) => at >= looked && headers['Subject']?.includes(subject) === true)
  // The test's own time-out is the limit.
  while (!text.startsWith('ready')) await delay(50)
  return {
    take: () => {
      const mails = all().slice(looked)
      looked += mails.length
      return mails
    },
    until: async (...subjects) => {
      while (!subjects.every(isThere)) await delay(100)
    },
    untilQuiet: async () => {
      let count = 0
      let since = performance.now()
      while (count === 0 || performance.now() - since < quietMs) {
        await delay(100)
        if (all().length !== count) since = performance.now()
        count = all().length
      }
    },
  }
}

const reminder = 'Inaccessible real server: '

/** What both must agree on: not how often they remind, nor what came first; a reminder may come late, into another step. */
function agreed(all: readonly TakenMail[], withReminders: boolean): string[] {
  const mails = all.filter(({ headers }) => withReminders || headers['Subject']?.includes(reminder) !== true)
  const told = mails.map(({ sender, recipients, headers, body }) => {
    const { From, To, Subject } = headers
    return JSON.stringify({ sender, recipients, From, To, Subject, body })
  })
  return [...new Set(told)].sort()
}

describe('alerts by mail, compared with Perl ldirectord', function () {
  this.timeout(300_000)
  let arena: Arena | undefined
  before(async function () {
    if (!existsSync('/usr/sbin/ldirectord')) skipBecause(this, 'there is no ldirectord: apt-get install ldirectord')
    arena = await openArena()
  })
  after(() => arena?.close())

  const courses: readonly [title: string, text: string, out: string, back: string][] = [
    ['with a name and a comment', config, 'Deleted real server: ', 'Added real server: '],
    ['without, and quiescent', quiescent, 'Quiescent real server: ', 'Restored real server: '],
  ]
  for (const [title, text, out, back] of courses) {
    it(`are the same to the byte while it runs and at its end, ${title}`, async () => {
      const stage = (await arena?.stage(text)) as Stage
      try {
        const boxes = await Promise.all(stage.contestants.map(openMailbox))
        const step = async (...subjects: readonly string[]): Promise<void> => {
          await Promise.all(boxes.map((box) => box.until(...subjects)))
          await delay(1000)
          const [perl = [], ours = []] = boxes.map((box) => agreed(box.take(), subjects.includes(reminder)))
          assert.deepEqual(ours, perl)
        }
        await stage.serve({ address, port: 80, says: 'page' })
        stage.startBoth()
        // The start differs on purpose (D3): what flaps there is not compared.
        await Promise.all(boxes.map((box) => box.untilQuiet()))
        for (const box of boxes) box.take()
        await stage.silence(address, 80)
        await step(out, 'Added fallback server: ', reminder)
        await stage.serve({ address, port: 80, says: 'page' })
        await step(back, 'Deleted fallback server: ')
        await stage.stopBoth()
        await step('Purged real server (stop): ')
      } finally {
        await stage.silence(address, 80).catch(() => undefined)
        await stage.close()
      }
    })
  }
})
