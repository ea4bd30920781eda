/**
 * Under `require-trusted-types-for 'script'` the bundler's chunk loader, which sets `script.src` to a plain string,
 * would be refused. This default policy lets it load our own chunks and nothing else; it has no createHTML on purpose.
 */
export const TRUSTED_TYPES_SCRIPT = `window.trustedTypes&&trustedTypes.createPolicy("default",{createScriptURL:function(u){var x=new URL(u,location.href);if(x.origin===location.origin&&x.pathname.indexOf("/_next/static/")===0)return u;throw new TypeError("Blocked script URL")}})`;
