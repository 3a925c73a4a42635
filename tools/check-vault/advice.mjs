// What the operator of a check can do about a vault that does not answer.

/** Of Node, without an answer of the service. */
const NO_CONNECTION = /^(E[A-Z_]+|REQUEST_SEND_ERROR|.*(CERT|TLS|SSL).*)$/;
/** A key or signature that is right, and covers too little. */
const TOO_NARROW = /^Authorization(?!Failure$)|^InsufficientAccountPermissions$/;

/** One sentence or two, with the setting that has the connection of the vault, and without its content. */
export function adviceOn(error, setting) {
  const { statusCode, code = '' } = error;
  if (statusCode === undefined && NO_CONNECTION.test(code))
    return `The vault did not answer (${code}). Check the address in ${setting}, and the network and proxy of this machine.`;
  if (TOO_NARROW.test(code))
    return `The signature or role in ${setting} may not do this (${code}). It has to read and list blobs: sp=rl, and for an account SAS srt=sco.`;
  if (statusCode === 401 || statusCode === 403)
    return (
      `The vault does not accept ${setting} (${code || statusCode}). Copy the connection string again: the key may have ` +
      'been rotated. A signature may have expired (se=). Or the firewall of the account does not admit this machine.'
    );
  if (statusCode !== undefined)
    return `The vault answered ${statusCode} ${code}. Try again; if it stays so, check the address in ${setting}.`;
  return String(error.message);
}

/** For a connection that cannot be parsed. */
export function adviceOnForm(setting) {
  return (
    `${setting} is not the connection of a vault. Set it to a connection string, as "Access keys" of the account shows ` +
    'it, or to the https:// address of its blob service with a SAS.'
  );
}
