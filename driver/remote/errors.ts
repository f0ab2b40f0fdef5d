// SPDX-License-Identifier: MIT

/**
 * How the connection with a target fails.
 *
 * @module
 */

/**
 * The agent on a target cannot be used: it is not there, refuses, or the connection was lost. Says nothing
 * about the design.
 */
export class AgentError extends Error {
  override readonly name = "AgentError";
}
