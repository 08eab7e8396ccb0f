import { expect, it } from '@jest/globals'
import { withoutSecrets } from '../../jobs/settings/secrets.ts'

it.each(['OPENLINEAGE_API_KEY', 'OPENLINEAGE__TRANSPORT__AUTH__APIKEY', 'OPENLINEAGE__TRANSPORT__AUTH'])(
  'the value of %s is in no message',
  (name) => {
    expect(withoutSecrets('it said canary-key', { [name]: 'canary-key' })).toBe('it said …')
  },
)
