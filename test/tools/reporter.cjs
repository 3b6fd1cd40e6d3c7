// Mocha reporter of the test run: the totals go to a file as JSON, so that no output has to be parsed.
// --reporter-option totals=FILE, and quiet=1 to print failures only.
const { writeFileSync } = require('node:fs')
const { reporters } = require('mocha')

/** The reason that `skipBecause` left, on the test itself or on the nearest suite. */
function reasonOf(test) {
  for (let node = test; node; node = node.parent) if (node.skipReason) return node.skipReason
  return 'no reason given'
}

function watch(runner, file) {
  const totals = { passed: 0, failed: 0, skipped: [] }
  runner.on('pass', () => {
    totals.passed += 1
  })
  runner.on('fail', () => {
    totals.failed += 1
  })
  runner.on('pending', (test) => totals.skipped.push({ title: test.fullTitle(), reason: reasonOf(test) }))
  runner.once('end', () => {
    if (file) writeFileSync(file, JSON.stringify(totals))
  })
}

class Quiet extends reporters.Base {
  constructor(runner, options) {
    super(runner, options)
    watch(runner, options.reporterOptions?.totals)
    runner.once('end', () => {
      if (this.failures.length > 0) reporters.Base.list(this.failures)
    })
  }
}

class Verbose extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    watch(runner, options.reporterOptions?.totals)
  }
}

/** Mocha calls a reporter with `new`; an object returned from a constructor takes its place. */
module.exports = function reporter(runner, options) {
  return options.reporterOptions?.quiet ? new Quiet(runner, options) : new Verbose(runner, options)
}
