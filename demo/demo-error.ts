/** An error whose message is all that the user sees. */
export class DemoError extends Error {}
