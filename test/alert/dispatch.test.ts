import assert from 'node:assert/strict'
import { type Delivery, type Destination, failed, type Outcome, sent } from '../../src/alert/delivery.ts'
import { createDispatch } from '../../src/alert/dispatch.ts'
import { keptForMs, mostWaiting } from '../../src/alert/line.ts'
import { wordEvent } from '../../src/log/wording.ts'
import { createVirtualClock } from '../lib/virtual-clock.ts'

const mail: Destination = { channel: 'smtp', target: 'mail:25', line: 'ops', server: 'mail:25', withinMs: 60_000 }
const busy = failed('451 try later', { retry: true })
const refused = failed('550 no such user', { retry: false })

function createPost() {
  const clock = createVirtualClock()
  const log: string[] = []
  const dispatch = createDispatch({
    clock,
    tell: (event) => void log.push(...wordEvent(event, { pid: 1, version: '0' }).lines),
  })
  /** Each try, in order: what, and when in seconds. */
  const tries: string[] = []
  let answer: (subject: string) => Outcome | 'silent' = () => sent
  let open = 0
  let mostOpen = 0
  const attempt = async (subject: string, signal: AbortSignal): Promise<Outcome> => {
    tries.push(`${subject} at ${clock.monotonic() / 1000}`)
    open += 1
    mostOpen = Math.max(mostOpen, open)
    try {
      const outcome = answer(subject)
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve()
      if (outcome !== 'silent') return outcome
      return await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      })
    } finally {
      open -= 1
    }
  }
  const advance = async (ms: number): Promise<void> => {
    for (let turn = 0; turn < 5; turn += 1) await clock.settle()
    await clock.advance(ms)
    for (let turn = 0; turn < 5; turn += 1) await clock.settle()
  }
  return {
    clock,
    log,
    tries: () => tries.splice(0),
    answers: (next: typeof answer) => {
      answer = next
    },
    mostOpen: () => mostOpen,
    send: (subject: string, to: Destination = mail): void => {
      const delivery: Delivery = { to, subject, attempt: (signal) => attempt(subject, signal) }
      dispatch.send(delivery)
    },
    advance,
    /** Until every promise that needs no clock has settled. */
    drain: async (): Promise<void> => {
      for (let turn = 0; turn < 5000; turn += 1) await clock.settle()
    },
    stop: () => dispatch.stop(4_000),
  }
}

describe('the delivery of alerts', () => {
  it('sends in order, one at a time, and tells each in the log', async () => {
    const post = createPost()
    for (const subject of ['a', 'b', 'c']) post.send(subject)
    await post.advance(0)
    await post.advance(0)
    assert.deepEqual(post.tries(), ['a at 0', 'b at 0', 'c at 0'])
    assert.deepEqual(post.log, ['emailalert: a', 'emailalert: b', 'emailalert: c'])
    assert.equal(post.mostOpen(), 1)
    assert.deepEqual(post.clock.openTimers(), [])
  })

  it('opens one connection to a server for 200 alerts to many', async () => {
    const post = createPost()
    for (let i = 0; i < 200; i += 1) post.send(`${i}`, { ...mail, line: `mailbox ${i % 20}` })
    await post.drain()
    assert.equal(post.log.length, 200)
    assert.equal(post.mostOpen(), 1)
  })

  it('tries again with growing pauses, tells the trouble once, and the end of it by sending', async () => {
    const post = createPost()
    post.answers(() => busy)
    post.send('a')
    post.send('b')
    await post.advance(75_000)
    assert.deepEqual(post.tries(), ['a at 0', 'a at 5', 'a at 15', 'a at 35', 'a at 75'])
    assert.deepEqual(post.log, ['failed to send SMTP email message: mail:25: 451 try later'])
    post.answers(() => sent)
    await post.advance(80_000)
    await post.advance(0)
    assert.deepEqual(post.tries(), ['a at 155', 'b at 155'])
    assert.deepEqual(post.log.slice(1), ['emailalert: a', 'emailalert: b'])
    post.answers(() => busy)
    post.send('c')
    await post.advance(0)
    assert.deepEqual(post.log.slice(3), ['failed to send SMTP email message: mail:25: 451 try later'])
    await post.stop()
  })

  it('gives up after an hour, and tells how many were lost', async () => {
    const post = createPost()
    post.answers(() => busy)
    post.send('a')
    post.send('b')
    await post.advance(keptForMs / 2)
    post.send('late')
    await post.advance(keptForMs)
    const tries = post.tries()
    assert.ok(tries.length < 30, `${tries.length} tries`)
    assert.ok(
      tries.filter((each) => each.startsWith('b')).length === 0,
      'b has waited as long, without a try of its own',
    )
    await post.advance(keptForMs)
    assert.deepEqual(post.log, [
      'failed to send SMTP email message: mail:25: 451 try later',
      'Alerts not sent: 3 (emailalert through mail:25): gave up after 60 minutes: 451 try later',
    ])
    assert.deepEqual(post.clock.openTimers(), [])
  })

  it('does not try again what is refused for good, and goes on with the next', async () => {
    const post = createPost()
    post.answers((subject) => (subject === 'b' ? sent : refused))
    for (const subject of ['a', 'b', 'c', 'd']) post.send(subject)
    await post.drain()
    assert.deepEqual(post.tries(), ['a at 0', 'b at 0', 'c at 0', 'd at 0'])
    assert.deepEqual(post.log, [
      'failed to send SMTP email message: mail:25: 550 no such user',
      'emailalert: b',
      'failed to send SMTP email message: mail:25: 550 no such user',
      'Alerts not sent: 3 (emailalert through mail:25): 550 no such user',
    ])
  })

  it('does not let one mailbox that is full hold up another', async () => {
    const post = createPost()
    post.answers((subject) => (subject.startsWith('full') ? busy : sent))
    post.send('full 1', { ...mail, line: 'full' })
    post.send('other 1', { ...mail, line: 'other' })
    post.send('full 2', { ...mail, line: 'full' })
    post.send('other 2', { ...mail, line: 'other' })
    await post.drain()
    assert.deepEqual(post.tries(), ['full 1 at 0', 'other 1 at 0', 'other 2 at 0'])
    await post.stop()
  })

  it('ends a try that takes too long', async () => {
    const post = createPost()
    post.answers(() => 'silent')
    post.send('a')
    await post.advance(60_000)
    assert.deepEqual(post.log, ['failed to send SMTP email message: mail:25: no answer within 60000 ms'])
    post.answers(() => sent)
    await post.stop()
  })

  it('takes a delivery that throws for one that failed', async () => {
    const post = createPost()
    post.answers(() => {
      throw new Error('broken\nline')
    })
    post.send('a')
    await post.advance(0)
    assert.deepEqual(post.log, ['failed to send SMTP email message: mail:25: broken\\nline'])
    await post.stop()
  })

  it('keeps the newest when too many wait', async () => {
    const post = createPost()
    post.answers(() => busy)
    for (let i = 0; i < mostWaiting + 5; i += 1) post.send(`${i}`)
    await post.advance(0)
    post.answers(() => sent)
    post.tries()
    await post.advance(5_000)
    await post.drain()
    const tries = post.tries()
    assert.deepEqual([tries.length, tries[0], tries[1]], [mostWaiting, '0 at 5', '6 at 5'])
    assert.equal(post.log.at(-1), 'Alerts not sent: 5 (emailalert through mail:25): more than 1000 were waiting')
  })

  describe('at the end', () => {
    it('waits for what is queued', async () => {
      const post = createPost()
      for (let i = 0; i < 50; i += 1) post.send(`${i}`)
      await post.stop()
      assert.equal(post.log.length, 50)
      assert.deepEqual(post.clock.openTimers(), [])
    })

    it('tries once more what waits for a better moment, and then tells how many were not sent', async () => {
      const post = createPost()
      post.answers(() => busy)
      post.send('a')
      post.send('b')
      await post.advance(1_000)
      post.tries()
      await post.stop()
      assert.deepEqual(post.tries(), ['a at 1', 'b at 1'])
      assert.deepEqual(post.log, [
        'failed to send SMTP email message: mail:25: 451 try later',
        'Alerts not sent: 2 (emailalert through mail:25): 451 try later',
      ])
      assert.deepEqual(post.clock.openTimers(), [])
    })

    it('waits no longer than it may for a server that is silent', async () => {
      const post = createPost()
      post.answers(() => 'silent')
      for (const subject of ['a', 'b', 'c']) post.send(subject)
      await post.advance(0)
      let ended = false
      const stopping = post.stop().then(() => {
        ended = true
      })
      await post.advance(3_999)
      assert.equal(ended, false)
      await post.advance(1)
      await stopping
      assert.deepEqual(post.log, [
        'failed to send SMTP email message: mail:25: the daemon ends',
        'Alerts not sent: 3 (emailalert through mail:25): the daemon ends',
      ])
      assert.deepEqual(post.clock.openTimers(), [])
      post.send('too late')
      await post.advance(0)
      assert.deepEqual(post.tries(), ['a at 0'])
    })
  })
})
