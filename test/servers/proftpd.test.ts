import assert from 'node:assert/strict'
import { ftp } from '../../checks/ftp.ts'
import { makeRequest } from '../../src/check/fields.ts'
import { compileReceive, isFault } from '../../src/check/receive/receive.ts'
import { Secret } from '../../src/lib/secret.ts'
import { verdictOf } from '../checks/probing.ts'
import { needs } from './needs.ts'
import { type Proftpd, proftpdPrograms, startProftpd } from './proftpd.ts'
import { asking } from './proved.ts'

const ask = asking('ProFTPD', 'proftpd-core')

interface Given {
  readonly address?: string
  readonly login?: string
  readonly passwd?: string
  /** A file in the root, or `/`. */
  readonly file?: string
  readonly receive?: string
  readonly timeoutMs?: number
}

function pattern(source: string) {
  const compiled = compileReceive(source)
  assert.ok(!isFault(compiled))
  return compiled
}

describe('ftp against a real ProFTPD', function () {
  this.timeout(60_000)
  let server: Proftpd | undefined
  before(async function () {
    needs(this, ...proftpdPrograms)
    server = await startProftpd()
  })
  after(() => server?.stop())

  const probe = (given: Given = {}) => {
    const { address = '127.0.0.1', login = 'probe', passwd = 'secret', file = 'alive.txt', timeoutMs = 5000 } = given
    const request = makeRequest(file === '/' ? file : `${server?.root ?? ''}${file}`, false)
    const options = {
      ...{ login, passwd: new Secret(passwd), request },
      ...(given.receive === undefined ? {} : { receive: pattern(given.receive) }),
    }
    return ask({ check: ftp, address, port: server?.port ?? 0, options, timeoutMs })
  }

  const cases: readonly [title: string, given: Given, verdict: string, detail: RegExp][] = [
    ['the file', {}, 'up', /^fetched 12 bytes$/],
    ['the file has the text', { receive: '^Still alive$' }, 'up', /fetched/],
    ['the file has another text', { receive: 'Quite dead' }, 'down mismatch', /not found in 12 bytes/],
    ['an empty file', { file: 'empty.txt' }, 'up', /0 bytes/],
    ['an empty file where a text is wanted', { file: 'empty.txt', receive: 'x' }, 'down mismatch', /0 bytes/],
    ['a file with blanks in its name', { file: 'with blanks.txt', receive: 'blank' }, 'up', /6 bytes/],
    ['the beginning of a large file', { file: 'large.bin', receive: '^xxx' }, 'up', /the first 1048576 bytes/],
    ['the end of a large file', { file: 'large.bin', receive: 'the end' }, 'down mismatch', /the first 1048576 bytes/],
    ['no file asked for', { file: '/' }, 'up', /^logged in$/],
    ['no such file', { file: 'gone.txt' }, 'down mismatch', /file not delivered: 550 /],
    ['a directory', { file: '' }, 'down mismatch', /file not delivered: 550 /],
    ['a file that may not be read', { file: 'private.txt' }, 'down mismatch', /file not delivered: 550 /],
    ['a wrong password', { passwd: 'wrong' }, 'down auth', /^530 /],
    ['a wrong password, with no file asked for', { passwd: 'wrong', file: '/' }, 'down auth', /^530 /],
    ['an unknown account', { login: 'nobody' }, 'down auth', /^530 /],
    ['no anonymous account', { login: 'anonymous', passwd: 'ldirectord@host' }, 'down auth', /^530 /],
  ]
  for (const [title, given, verdict, detail] of cases) {
    it(`${verdict}: ${title}`, async () => {
      const result = await probe(given)
      assert.equal(verdictOf(result), verdict, result.detail)
      assert.match(result.detail, detail)
    })
  }

  it('is up over IPv6', async () => {
    assert.equal(verdictOf(await probe({ address: '::1', receive: 'alive' })), 'up')
  })

  it('is up, twenty at once', async () => {
    const results = await Promise.all(Array.from({ length: 20 }, () => probe({ receive: 'alive' })))
    assert.deepEqual(new Set(results.map(verdictOf)), new Set(['up']))
  })

  describe('that is frozen', () => {
    before(() => server?.freeze())
    after(() => server?.thaw())

    it('is down timeout: it accepts and says nothing', async () => {
      const result = await probe({ timeoutMs: 400 })
      assert.equal(verdictOf(result), 'down timeout', result.detail)
      assert.match(result.detail, /waiting for the greeting/)
      assert.ok(result.durationMs < 1500, `took ${result.durationMs} ms`)
    })
  })

  describe('that is thawed and killed', () => {
    it('is up, and then down refused', async () => {
      assert.equal(verdictOf(await probe()), 'up')
      await server?.kill()
      assert.equal(verdictOf(await probe()), 'down refused')
    })
  })
})
