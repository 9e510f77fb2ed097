/* BCC includes this; nothing in it is needed. */
