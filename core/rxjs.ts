// Of rxjs no more than is used: its index loads two hundred files, which takes a program that needs
// no operator longer than all of the core. These are the same classes that the index exports.
export { Observable } from 'rxjs/internal/Observable';
export { Subject } from 'rxjs/internal/Subject';
export { Subscriber } from 'rxjs/internal/Subscriber';
export { Subscription } from 'rxjs/internal/Subscription';
