import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { readVersion, version, versionText } from '../../src/lib/version.ts'
import { temporaryFolder } from '../log/temporary.ts'

describe('version', () => {
  const folder = temporaryFolder()

  it("is the package's, whatever the depth of the file that asks", () => {
    const { version: expected } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
    assert.equal(version, expected)
  })

  it('names the program, the version and the licence', () => {
    assert.match(versionText, /^ldirectord-ng \d+\.\d+\.\d+\S* \(Linux Director\)\n.*Licence MIT.*\n$/s)
  })

  it("is not another package's, and 0 when there is none", () => {
    mkdirSync(folder.path('a/b'), { recursive: true })
    writeFileSync(folder.path('a/package.json'), '{"name":"other","version":"9.9.9"}')
    writeFileSync(folder.path('a/b/package.json'), 'not JSON')
    assert.equal(readVersion(folder.path('a/b')), '0')
    writeFileSync(folder.path('package.json'), '{"name":"ldirectord-ng","version":"1.2.3"}')
    assert.equal(readVersion(folder.path('a/b')), '1.2.3')
  })
})
