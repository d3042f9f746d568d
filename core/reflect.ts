/**
 * The polyfill that tsyringe asks for as soon as it is loaded. In a module of its own, because a
 * bundler may run a CommonJS import of a module after its other imports, but never after theirs.
 */
import 'reflect-metadata';
