// The few declarations our own stub apps need, in place of an SDK.
typedef signed char BOOL;
typedef unsigned long NSUInteger;

__attribute__((objc_root_class))
@interface NSObject
+ (instancetype)alloc;
- (instancetype)init;
@end

@interface NSString : NSObject
@end

@interface NSConstantString : NSString
@end

@interface UIResponder : NSObject
@end

extern void NSLog(NSString *format, ...);
extern int UIApplicationMain(int count, char **values, NSString *application, NSString *delegate);
