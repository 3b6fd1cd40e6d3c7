import assert from 'node:assert/strict'
import { checksSectionOf, keepChecksSection, withChecksSection } from './sections.ts'

const bare = '# Benchmarks\n\nSome text.\n'

describe('the part of the benchmark page that belongs to the checks', () => {
  it('is put at the end where there is none, and found again with its text', () => {
    const page = withChecksSection(bare, '## Checks\n\nfast $& $1\n')
    assert.ok(page.startsWith(bare))
    assert.match(checksSectionOf(page), /^<!--.*-->\n## Checks\n\nfast \$& \$1\n\n<!--.*-->$/)
  })

  it('is renewed where it stands; what is before and after it stays', () => {
    const page = `${withChecksSection(bare, 'old')}\n## After\n`
    const renewed = withChecksSection(page, 'new')
    assert.equal(renewed, page.replace('old', 'new'))
    assert.equal(withChecksSection(renewed, 'new'), renewed)
  })

  it('outlives a page that is written anew', () => {
    const old = withChecksSection(bare, 'kept')
    assert.equal(keepChecksSection('# Other\n', old), withChecksSection('# Other\n', 'kept'))
    assert.equal(keepChecksSection('# Other\n', bare), '# Other\n')
  })

  it('is not taken for there when its end is missing', () => {
    assert.equal(checksSectionOf(withChecksSection(bare, 'text').replace(/<!-- checks: end -->/, '')), '')
  })
})
