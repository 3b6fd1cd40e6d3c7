import assert from 'node:assert/strict'
import { realKeyOf } from '../../src/config/model.ts'
import { createHealthBook } from '../../src/control/health-book.ts'
import { adoptedHealth } from '../../src/health/initial.ts'
import { wordEvent } from '../../src/log/wording.ts'
import { type CheckResult, unknown, up } from '../../src/model/verdict.ts'
import { configOf, createStage, virtual } from './stage.ts'

const own = virtual({ reals: [createStage().real('10.0.0.1')] })
const [real] = own.reals
const key = realKeyOf(own, real ?? assert.fail())

function setUp() {
  const log: string[] = []
  const book = createHealthBook((event) => log.push(...wordEvent(event, { pid: 1, version: '0' }).lines))
  book.replace(configOf([own]), new Map([[key, adoptedHealth(1)]]))
  const observe = (result: CheckResult): boolean => book.observe(key, { result, at: 2, durationMs: 1 })
  return { log, book, observe }
}

describe('The health book', () => {
  it('tells once per episode that a check could not tell, and changes nothing for it', () => {
    const { log, book, observe } = setUp()
    const missing = unknown('missing-tool', 'there is no ping program')
    for (const result of [missing, missing, up('200 OK'), missing]) assert.equal(observe(result), false)
    const text = 'Can not check real server: 10.0.0.1:80 (tcp:192.0.2.1:80): missing-tool: there is no ping program'
    assert.deepEqual(log, [text, text])
    assert.equal(book.health.get(key)?.state, 'up')
  })

  it('makes what a check warns of printable, and forgets what has left the file', () => {
    const { log, book, observe } = setUp()
    book.warn(key, 'expired \u001b[31m')
    assert.deepEqual(log, ['Check of real server: 10.0.0.1:80 (tcp:192.0.2.1:80): expired \\x1b[31m'])
    observe(unknown('cancelled', ''))
    book.replace(configOf([]), new Map())
    log.length = 0
    assert.equal(observe(up('late')), false)
    book.warn(key, 'late')
    assert.deepEqual([log, book.health.size], [[], 0])
  })
})
